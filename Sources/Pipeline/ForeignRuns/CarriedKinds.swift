import PipelineCore

/// The list's other columns over all shards, each of a kind that holds every value.
struct CarriedKinds {
  /// In order of first appearance.
  private(set) var names: [String] = []
  /// Nil for a column of nothing but nulls so far.
  private var kinds: [String: TableColumn.Kind?] = [:]

  /// More different names than these are no columns but data.
  static let mostColumns = 4_096

  /// Notes a column.
  ///
  /// - Returns: False where there are too many.
  @discardableResult
  mutating func note(_ name: String, _ kind: TableColumn.Kind?) -> Bool {
    guard let known = kinds[name] else {
      guard names.count < Self.mostColumns else { return false }
      names.append(name)
      kinds[name] = .some(kind)
      return true
    }
    guard let kind else { return true }
    guard let known else {
      kinds[name] = .some(kind)
      return true
    }
    let numbers: Set<TableColumn.Kind> = [.int, .double]
    kinds[name] =
      .some(known == kind ? kind : numbers.isSuperset(of: [known, kind]) ? .double : .json)
    return true
  }

  /// Takes up the members of a row, and drops those that are too many.
  ///
  /// - Parameters:
  ///   - members: Of any names.
  ///   - isTyped: Whether the row's table has declared its columns; a pair's JSON has not.
  /// - Returns: Those that the tables have columns for.
  mutating func note(_ members: [JSONValue.Member], isTyped: Bool) -> [JSONValue.Member] {
    members.filter { member in
      isTyped && kinds[member.key] != nil || note(member.key, Self.kind(of: member.value))
    }
  }

  /// The kind of a column; text for one without values.
  func kind(of name: String) -> TableColumn.Kind { (kinds[name] ?? nil) ?? .text }

  private static func kind(of value: JSONValue) -> TableColumn.Kind? {
    switch value {
    case .null: nil
    case .bool: .bool
    case .string: .text
    case .number(let digits):
      Int64(digits) != nil ? .int : Double(digits)?.isFinite == true ? .double : .json
    case .array, .object: .json
    }
  }

  /// `chunks/columns.json`, as `ListColumns` reads it.
  var json: JSONValue {
    .array(
      names.map { name in
        let kind = kind(of: name)
        return .object([
          .init("name", .string(name)),
          .init("type", .string(kind == .text ? "string" : kind.rawValue)),
        ])
      })
  }
}
