/// The properties of one character, as bits; `make_text_tables.py` numbers them.
struct CharacterProperties: OptionSet {
  var rawValue: UInt32

  /// Python's `str.isspace`.
  static let space = Self(rawValue: 1 << 4)
  /// Python's `\d`.
  static let decimal = Self(rawValue: 1 << 5)
  static let caseIgnorable = Self(rawValue: 1 << 6)
  /// Cased, and not to be ignored.
  static let cased = Self(rawValue: 1 << 7)
  /// Its small form is another one.
  static let lowered = Self(rawValue: 1 << 8)
  /// Normalisation form C may touch it.
  static let composable = Self(rawValue: 1 << 9)
  /// Python's Unicode does not know it.
  static let unassigned = Self(rawValue: 1 << 10)
  /// Stands for a byte that begins 2, 3 or 4 bytes of UTF-8, in one of ftfy's encodings.
  static let utf8First2 = Self(rawValue: 1 << 11)
  static let utf8First3 = Self(rawValue: 1 << 12)
  static let utf8First4 = Self(rawValue: 1 << 13)
  /// Stands for a byte that goes on; strictly: and seldom means itself.
  static let utf8Continuation = Self(rawValue: 1 << 14)
  static let utf8ContinuationStrict = Self(rawValue: 1 << 15)

  enum Piece: UInt32 { case other, letter, digit, space }

  /// What kind of piece it belongs to.
  var piece: Piece { Piece(rawValue: rawValue & 7) ?? .other }
  /// Its column in the automaton of ``MojibakeDetector``.
  var badnessColumn: Int { Int(rawValue >> 20) }
}

/// The properties of all characters: equal blocks of 256 are held once.
struct CharacterTable: Sendable {
  private static let blockSize = 256
  /// The first value of each block in `values`.
  private var starts = [Int32](repeating: 0, count: 0x11_0000 / blockSize)
  /// Block 0 is what no line names.
  private var values = [UInt32](repeating: 0, count: blockSize)
  /// The blocks that hold one value all through, by it.
  private var uniform: [UInt32: Int32] = [0: 0]

  /// Names the properties of a run of characters; runs come in order and do not overlap.
  mutating func set(_ run: ClosedRange<Int>, to value: UInt32) {
    var scalar = run.lowerBound
    while scalar <= run.upperBound {
      let block = scalar / Self.blockSize
      let end = min(run.upperBound, block * Self.blockSize + Self.blockSize - 1)
      if end - scalar == Self.blockSize - 1 {
        starts[block] = uniformBlock(value)
      } else {
        if starts[block] == 0 {
          starts[block] = Int32(values.count)
          values += repeatElement(0, count: Self.blockSize)
        }
        for place in scalar...end { values[Int(starts[block]) + place % Self.blockSize] = value }
      }
      scalar = end + 1
    }
  }

  private mutating func uniformBlock(_ value: UInt32) -> Int32 {
    if let start = uniform[value] { return start }
    let start = Int32(values.count)
    values += repeatElement(value, count: Self.blockSize)
    uniform[value] = start
    return start
  }

  subscript(scalar: Unicode.Scalar) -> CharacterProperties {
    let place = Int(starts[Int(scalar.value) / Self.blockSize]) + Int(scalar.value & 0xFF)
    return CharacterProperties(rawValue: values[place])
  }
}
