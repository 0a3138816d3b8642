extension RecipeReader {
  /// Whole numbers by name, such as `{captions: 5, hosts: 3}`; a number alone is that of the first name.
  ///
  /// A block in the recipe, `--set KEY.NAME=5` and `--set 'KEY={NAME: 5}'` are the same, and what they give
  /// under other names holds together. Resolves to one value under `key`.
  ///
  /// - Throws: ``RecipeError`` for other names, and numbers out of range.
  public mutating func numbers<Name: RawRepresentable & CaseIterable & Hashable>(
    _ key: String, in range: ClosedRange<Int>
  ) throws(RecipeError) -> [Name: Int] where Name.RawValue == String {
    let names = Array(Name.allCases)
    var texts: [(name: Name, text: String)] = []
    for (member, text) in try members(of: key, alone: names[0].rawValue) {
      guard let name = Name(rawValue: member) else {
        let known = names.map(\.rawValue).joined(separator: ", ")
        throw .badValue(key: key, value: member, expected: "a number, or a map of \(known)")
      }
      texts.append((name, text))
    }
    var numbers: [Name: Int] = [:]
    for (name, text) in texts where text != "null" {
      guard let number = Int(text.filter { $0 != "_" }), range.contains(number) else {
        throw .badValue(
          key: texts.count == 1 && name == names[0] ? key : "\(key).\(name.rawValue)", value: text,
          expected: "a whole number of \(range.lowerBound) to \(range.upperBound)")
      }
      numbers[name] = number
    }
    let given = names.compactMap { name in numbers[name].map { (name.rawValue, $0) } }
    switch given.count {
    case 0: resolve(key, "null")
    case 1 where numbers[names[0]] != nil: resolve(key, "\(given[0].1)")
    default:
      resolve(key, "{" + given.map { "\($0.0): \($0.1)" }.joined(separator: ", ") + "}")
    }
    return numbers
  }
}
