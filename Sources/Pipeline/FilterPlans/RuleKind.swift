import CaptionLanguage
import DurableFiles

/// The rules that a plan may name.
enum RuleKind: String, CaseIterable {
  case min, max, between, equals
  case oneOf = "one_of"
  case matches, contains
  case isNull = "is_null"
  case topFraction = "top_fraction"
  case caption, picture, language, clusters, balance
  case all, any, not

  private static let mostCount = 1_000_000_000

  /// What the rule asks, all of which must hold.
  ///
  /// - Throws: ``FilterPlanError``; `FileError` for a file that it names.
  func tests(_ fields: inout PlanFields) throws -> [PlanTest] {
    switch self {
    case .caption: return try captionTests(&fields)
    case .picture: return try pictureTests(&fields)
    case .topFraction:
      let column = try fields.column()
      guard let fraction = try fields.number("fraction", in: 0...1) else {
        throw fields.missing("fraction", "the share of pairs, 0 to 1.")
      }
      return [
        .topFraction(
          TopFraction(
            column: column, fraction: fraction, ties: try fields.choice("ties") ?? .uid,
            of: try fields.choice("of") ?? .all))
      ]
    case .balance:
      guard let file = try fields.text("metadata") else {
        throw fields.missing("metadata", "name a file of entries, a JSON list or one a line.")
      }
      let t = try fields.number("t", in: 1...1e15) ?? 20_000
      let seed = try fields.int("seed", in: 0...Int.max) ?? 0
      return [
        .balance(
          CaptionBalance(
            column: try fields.column(.caption), metadata: try MetadataEntries(path: file), t: t,
            seed: UInt64(seed), of: try fields.choice("of") ?? .all))
      ]
    case .all, .any, .not: preconditionFailure("\(rawValue) holds rules")
    default: return [.compare(try fields.column(), try comparison(&fields))]
    }
  }

  private func comparison(_ fields: inout PlanFields) throws -> Comparison {
    switch self {
    case .min, .max:
      guard let value = try fields.number("value") else {
        throw fields.missing("value", "a number.")
      }
      return self == .min ? .min(value) : .max(value)
    case .between:
      guard let from = try fields.number("from"), let to = try fields.number("to") else {
        throw fields.missing("from` and `to", "two numbers; both ends are included.")
      }
      guard from <= to else { throw fields.fault("from", "it is above `to`") }
      return .between(from, to)
    case .equals:
      guard let value = try fields.text("value") else {
        throw fields.missing("value", "a text or number; for none there is is_null.")
      }
      return .oneOf([value])
    case .oneOf:
      guard let values = try fields.texts("values"), !values.isEmpty else {
        throw fields.missing("values", "a list of texts or numbers.")
      }
      return .oneOf(values)
    case .matches:
      guard let glob = try fields.text("glob") else {
        throw fields.missing("glob", "a pattern with * and ?.")
      }
      guard glob.utf8.count <= 1_000 else { throw fields.fault("glob", "it is too long") }
      return .matches(GlobPattern(glob, ignoresCase: try fields.bool("ignore_case") ?? false))
    case .contains:
      guard let text = try fields.text("text") else {
        throw fields.missing("text", "what the value must hold.")
      }
      guard text.utf8.count <= 1_000 else { throw fields.fault("text", "it is too long") }
      return .contains(text)
    case .isNull: return .isNull
    case .language:
      guard let codes = try fields.texts("is"), !codes.isEmpty else {
        throw fields.missing("is", "a language as the column has it, or a list.")
      }
      return .oneOf(codes)
    case .clusters:
      guard let keep = try fields.texts("keep"), !keep.isEmpty else {
        throw fields.missing("keep", "a file of cluster numbers, or a list of them.")
      }
      return .oneOf(try Self.clusters(keep, &fields))
    default: preconditionFailure("\(rawValue) is no comparison")
    }
  }

  /// The numbers of a list, or of a file with one on each line, sorted.
  private static func clusters(_ keep: [String], _ fields: inout PlanFields) throws -> [String] {
    var words = keep
    if keep.count == 1, Int(keep[0]) == nil {
      words = try DurableFile.read(keep[0])
        .split { [0x0A, 0x0D, 0x20, 0x09, 0x2C].contains($0) }
        .map { String(decoding: $0, as: UTF8.self) }
    }
    var numbers: Set<Int> = []
    for word in words {
      guard let number = Int(word) else {
        throw fields.fault("keep", "`\(word.prefix(40))` is not a cluster's number")
      }
      numbers.insert(number)
    }
    guard !numbers.isEmpty else { throw fields.fault("keep", "the list is empty") }
    return numbers.sorted().map { String($0) }
  }

  private func captionTests(_ fields: inout PlanFields) throws -> [PlanTest] {
    let column = try fields.column(.caption)
    let range = 0...Self.mostCount
    var tests: [CaptionTest] = []
    if let count = try fields.int("min_words", in: range) { tests.append(.minWords(count)) }
    if let count = try fields.int("max_words", in: range) { tests.append(.maxWords(count)) }
    if let count = try fields.int("min_characters", in: range) {
      tests.append(.minCharacters(count))
    }
    if let count = try fields.int("max_characters", in: range) {
      tests.append(.maxCharacters(count))
    }
    if let names = try fields.texts("charset") {
      var scripts: [CaptionScript] = []
      for name in names {
        guard let script = CaptionScript(rawValue: name) else {
          throw fields.fault(
            "charset",
            "`\(name)` is not one of "
              + CaptionScript.allCases.map(\.rawValue).joined(separator: ", "))
        }
        scripts.append(script)
      }
      tests.append(.scripts(scripts))
    }
    let confidence = try fields.number("min_confidence", in: 0...1)
    if let codes = try fields.texts("language") {
      let known = CaptionLanguageModel.shared.codes
      for code in codes where !known.contains(code) {
        throw fields.fault(
          "language", "the model does not know `\(code)`, but \(known.joined(separator: ", "))")
      }
      tests.append(.language(codes, minConfidence: confidence ?? 0))
    } else if confidence != nil {
      throw fields.missing("language", "min_confidence is of a language.")
    }
    guard !tests.isEmpty else {
      throw fields.missing("min_words", "or another rule; a caption rule without any asks nothing.")
    }
    return tests.map { .caption(column, $0) }
  }

  private func pictureTests(_ fields: inout PlanFields) throws -> [PlanTest] {
    let range = 0...Self.mostCount
    var tests: [PictureTest] = []
    if let pixels = try fields.int("min_side", in: range) { tests.append(.minSide(pixels)) }
    if let pixels = try fields.int("max_side", in: range) { tests.append(.maxSide(pixels)) }
    if let ratio = try fields.number("max_aspect", in: 1...1e9) { tests.append(.maxAspect(ratio)) }
    if let count = try fields.int("min_bytes", in: range) { tests.append(.minBytes(count)) }
    if let count = try fields.int("max_bytes", in: range) { tests.append(.maxBytes(count)) }
    if let names = try fields.texts("formats") {
      tests.append(.formats(names.map(PictureTest.format)))
    }
    guard !tests.isEmpty else {
      throw fields.missing("min_side", "or another rule; a picture rule without any asks nothing.")
    }
    return tests.map { .picture($0) }
  }
}
