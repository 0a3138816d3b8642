/// Reads the few Python literals of a `.npy` header: a dictionary of text, flags and tuples of integers.
///
/// Nothing is evaluated. Lists, as in the `descr` of records, are passed over.
struct PythonLiterals {
  enum Value: Equatable {
    case text(String)
    case flag(Bool)
    case tuple([Int])
    case other
  }

  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The whole text as one dictionary; blanks and a line feed may follow.
  mutating func dictionary() throws(NumpyFault) -> [String: Value] {
    try require("{")
    var fields: [String: Value] = [:]
    while !take("}") {
      let key = try text()
      try require(":")
      guard fields.updateValue(try value(), forKey: key) == nil else {
        throw .damaged("'\(key)' stands twice in the header")
      }
      if !take(",") {
        try require("}")
        break
      }
    }
    skipBlanks()
    guard place == bytes.count else { throw .damaged("something follows the header's dictionary") }
    return fields
  }

  private mutating func value() throws(NumpyFault) -> Value {
    skipBlanks()
    switch peek {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .text(try text())
    case UInt8(ascii: "("): return .tuple(try tuple())
    case UInt8(ascii: "["):
      try skipList()
      return .other
    case UInt8(ascii: "T"): return .flag(try word("True", true))
    case UInt8(ascii: "F"): return .flag(try word("False", false))
    default: throw .damaged("the header cannot be understood at byte \(place)")
    }
  }

  private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func skipBlanks() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D {
      place += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard peek == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func require(_ character: Unicode.Scalar) throws(NumpyFault) {
    guard take(character) else {
      throw .damaged("the header cannot be understood at byte \(place)")
    }
  }

  private mutating func word(_ word: String, _ value: Bool) throws(NumpyFault) -> Bool {
    guard bytes[place...].starts(with: word.utf8) else {
      throw .damaged("the header cannot be understood at byte \(place)")
    }
    place += word.utf8.count
    return value
  }

  private mutating func text() throws(NumpyFault) -> String {
    skipBlanks()
    guard let quote = peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw .damaged("the header cannot be understood at byte \(place)")
    }
    let start = place + 1
    guard let end = bytes[start...].firstIndex(of: quote),
      !bytes[start..<end].contains(UInt8(ascii: "\\"))
    else { throw .damaged("a text of the header does not end") }
    place = end + 1
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  private mutating func tuple() throws(NumpyFault) -> [Int] {
    try require("(")
    var values: [Int] = []
    while !take(")") {
      skipBlanks()
      let start = place
      while let byte = peek, (0x30...0x39).contains(byte) { place += 1 }
      guard let value = Int(String(decoding: bytes[start..<place], as: UTF8.self)) else {
        throw .damaged("a side of the shape is no whole number")
      }
      // Python 2 wrote 3L.
      if peek == UInt8(ascii: "L") { place += 1 }
      values.append(value)
      guard values.count <= 32 else { throw .damaged("a shape of more than 32 sides") }
      if !take(",") {
        try require(")")
        break
      }
    }
    return values
  }

  /// Passes over a list without regard to what is in it.
  private mutating func skipList() throws(NumpyFault) {
    var depth = 0
    while let byte = peek {
      place += 1
      switch byte {
      case UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 { return }
      default: break
      }
    }
    throw .damaged("a list of the header does not end")
  }
}
