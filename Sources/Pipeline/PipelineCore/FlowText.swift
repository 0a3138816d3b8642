internal import Yams

/// YAML on one line.
enum FlowText {
  /// The node in flow style, which reads as the same node again.
  static func text(_ node: Node) -> String {
    switch node {
    case .mapping(let mapping):
      "{" + mapping.map { "\(text($0.key)): \(text($0.value))" }.joined(separator: ", ") + "}"
    case .sequence(let sequence): "[" + sequence.map(text).joined(separator: ", ") + "]"
    case .scalar(let scalar):
      scalar.style == .plain && isPlain(scalar.string)
        ? scalar.string : JSONValue.string(scalar.string).serialized
    case .alias: "null"
    }
  }

  private static func isPlain(_ text: String) -> Bool {
    // A dash, a tilde and quotes mean something at the beginning; letters and digits do not anywhere.
    text.first.map { $0.isLetter || $0.isNumber || $0 == "-" && text.count > 1 } == true
      && text.allSatisfy {
        $0.isASCII && ($0.isLetter || $0.isNumber || "_-./+".contains($0))
      }
  }
}
