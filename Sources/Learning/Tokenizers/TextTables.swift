/// What CLIP's reference tokenizer knows about characters: its Unicode, its encodings, its suspicions.
///
/// Frozen: with the tables of a newer Unicode some ids would differ. `make_text_tables.py` in
/// CCLIPVocabulary writes them and tells the format.
final class TextTables: Sendable {
  static let shared = TextTables(BundledText.textTables())

  let characters: CharacterTable
  /// Python's `str.lower` of one character, where it changes it.
  let lower: [Unicode.Scalar: [Unicode.Scalar]]
  /// In the order in which ftfy tries them; Latin-1 is the first.
  let encodings: [SingleByteEncoding]
  let badness: MojibakeDetector
  /// The names of entities that ftfy adds, all in capitals.
  let capitals: [String: [Unicode.Scalar]]

  private init(_ text: String) {
    var characters = CharacterTable()
    var lower: [Unicode.Scalar: [Unicode.Scalar]] = [:]
    var encodings: [SingleByteEncoding] = []
    var rows: [[Int]] = []
    var capitals: [String: [Unicode.Scalar]] = [:]
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      let words = line.split(separator: UInt8(ascii: " ")).map { String(Substring($0)) }
      switch words[0] {
      case "scalar":
        characters.set(
          Self.number(words[1])...Self.number(words[2]), to: UInt32(Self.number(words[3])))
      case "lower": lower[Self.scalar(words[1])] = words[2...].map(Self.scalar)
      case "encoding":
        encodings.append(SingleByteEncoding(name: words[1], upper: words[2...].map(Self.scalar)))
      case "badness": rows.append(words[2...].map(Self.number))
      case "capital": capitals[words[1]] = words[2...].map(Self.scalar)
      default: preconditionFailure("text tables: no kind of line is called \(words[0])")
      }
    }
    self.characters = characters
    self.lower = lower
    self.encodings = encodings
    self.badness = MojibakeDetector(rows)
    self.capitals = capitals
  }

  private static func number(_ word: String) -> Int {
    guard let number = Int(word, radix: 16) else {
      preconditionFailure("text tables: \(word) is no number")
    }
    return number
  }

  private static func scalar(_ word: String) -> Unicode.Scalar {
    guard let scalar = Unicode.Scalar(UInt32(number(word))) else {
      preconditionFailure("text tables: \(word) is no character")
    }
    return scalar
  }
}
