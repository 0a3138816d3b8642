/// The least and the greatest of some values, in the column's order (parquet.thrift, `ColumnOrder`):
/// signed or unsigned for integers, unsigned for bytes; NaN counts for nothing.
struct ValueBounds {
  /// The longest bound in a column's statistics, where bounds must be exact.
  static let longest = 1024
  /// The longest bound in a page index, where a bound need only be one.
  static let longestInIndex = 64

  /// As they are stored, without a length before bytes.
  private(set) var least: [UInt8]
  private(set) var greatest: [UInt8]
  private let order: Order
  private var leastWord: UInt64 = 0
  private var greatestWord: UInt64 = 0

  private enum Order { case unsigned, signed, float, double, bytes }

  /// Nil where there is no value with a place in the order.
  init?(_ buffer: LeafBuffer, _ range: Range<Int>) {
    order =
      switch buffer.column.type {
      case .bool, .uint8, .uint16, .uint32, .uint64: .unsigned
      case .float: .float
      case .double: .double
      default: buffer.isBytes ? .bytes : .signed
      }
    least = []
    greatest = []
    if order == .bytes {
      guard var low = range.first else { return nil }
      var high = low
      for index in range {
        if buffer.strings.precedes(index, low) { low = index }
        if buffer.strings.precedes(high, index) { high = index }
      }
      least = buffer.strings[low]
      greatest = buffer.strings[high]
      return
    }
    var found = false
    for index in range {
      let word = buffer.words[index]
      if isNaN(word) { continue }
      if !found || precedes(word, leastWord) { leastWord = word }
      if !found || precedes(greatestWord, word) { greatestWord = word }
      found = true
    }
    guard found else { return nil }
    settleZeros()
    least = Self.stored(leastWord, buffer.physicalType)
    greatest = Self.stored(greatestWord, buffer.physicalType)
  }

  /// Widens the bounds by those of other values of the column.
  mutating func formUnion(_ other: ValueBounds) {
    let isLess =
      order == .bytes
      ? other.least.lexicographicallyPrecedes(least) : precedes(other.leastWord, leastWord)
    let isGreater =
      order == .bytes
      ? greatest.lexicographicallyPrecedes(other.greatest)
      : precedes(greatestWord, other.greatestWord)
    if isLess { (least, leastWord) = (other.least, other.leastWord) }
    if isGreater { (greatest, greatestWord) = (other.greatest, other.greatestWord) }
  }

  /// Whether both bounds are at or after those of the page before.
  func follows(_ other: ValueBounds) -> Bool {
    order == .bytes
      ? !least.lexicographicallyPrecedes(other.least)
        && !greatest.lexicographicallyPrecedes(other.greatest)
      : !precedes(leastWord, other.leastWord) && !precedes(greatestWord, other.greatestWord)
  }

  private func isNaN(_ word: UInt64) -> Bool {
    switch order {
    case .float: Float(bitPattern: UInt32(truncatingIfNeeded: word)).isNaN
    case .double: Double(bitPattern: word).isNaN
    default: false
    }
  }

  private func precedes(_ first: UInt64, _ second: UInt64) -> Bool {
    switch order {
    case .unsigned, .bytes: first < second
    case .signed: Int64(bitPattern: first) < Int64(bitPattern: second)
    case .float:
      Float(bitPattern: UInt32(truncatingIfNeeded: first))
        < Float(bitPattern: UInt32(truncatingIfNeeded: second))
    case .double: Double(bitPattern: first) < Double(bitPattern: second)
    }
  }

  /// Both zeros are equal in the order: a least zero is stored as -0, a greatest as +0.
  private mutating func settleZeros() {
    switch order {
    case .float:
      if leastWord == 0 { leastWord = UInt64((-Float.zero).bitPattern) }
      if greatestWord == UInt64((-Float.zero).bitPattern) { greatestWord = 0 }
    case .double:
      if leastWord == 0 { leastWord = (-Double.zero).bitPattern }
      if greatestWord == (-Double.zero).bitPattern { greatestWord = 0 }
    default: break
    }
  }

  private static func stored(_ word: UInt64, _ type: PhysicalType) -> [UInt8] {
    let count =
      switch type {
      case .boolean: 1
      case .int32, .float: 4
      default: 8
      }
    return (0..<count).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
  }

  /// The bounds cut to ``longestInIndex``: the least to a prefix, the greatest to the next string
  /// after its prefix; text to whole characters.
  func truncated(_ type: ParquetType) -> ValueBounds {
    guard order == .bytes else { return self }
    let isText =
      switch type {
      case .string, .json, .enum: true
      default: false
      }
    var bounds = self
    if least.count > Self.longestInIndex {
      bounds.least = Array(least[..<Self.cut(least, isText)])
    }
    if greatest.count > Self.longestInIndex,
      let next = Self.next(Array(greatest[..<Self.cut(greatest, isText)]), isText)
    {
      bounds.greatest = next
    }
    return bounds
  }

  private static func cut(_ bytes: [UInt8], _ isText: Bool) -> Int {
    var end = longestInIndex
    while isText, end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    return end
  }

  /// The first string after all that begin with `prefix`; nil where there is none.
  private static func next(_ prefix: [UInt8], _ isText: Bool) -> [UInt8]? {
    guard isText else {
      guard let last = prefix.lastIndex(where: { $0 < 0xFF }) else { return nil }
      return prefix[..<last] + [prefix[last] + 1]
    }
    var scalars = Array(String(decoding: prefix, as: UTF8.self).unicodeScalars)
    while let last = scalars.popLast() {
      // After U+D7FF come the surrogates, which are no characters.
      let value = last.value == 0xD7FF ? 0xE000 : last.value + 1
      guard let next = Unicode.Scalar(value) else { continue }
      var view = String.UnicodeScalarView(scalars)
      view.append(next)
      return Array(String(view).utf8)
    }
    return nil
  }
}
