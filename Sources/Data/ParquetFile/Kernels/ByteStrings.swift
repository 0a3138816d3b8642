import Glibc

/// Byte strings one after the other in one buffer.
struct ByteStrings {
  private(set) var bytes: [UInt8] = []
  /// Where each begins, and where the last ends.
  private var bounds = [0]

  var count: Int { bounds.count - 1 }

  func range(_ index: Int) -> Range<Int> { bounds[index]..<bounds[index + 1] }

  /// The bytes of the strings `range`, their lengths aside.
  func byteCount(_ range: Range<Int>) -> Int { bounds[range.upperBound] - bounds[range.lowerBound] }

  subscript(index: Int) -> [UInt8] { Array(bytes[range(index)]) }

  mutating func append(_ string: some Collection<UInt8>) {
    bytes.append(contentsOf: string)
    bounds.append(bytes.count)
  }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    bounds.removeAll(keepingCapacity: true)
    bounds.append(0)
  }

  /// Whether the string `first` is before the string `second` in the order of unsigned bytes.
  func precedes(_ first: Int, _ second: Int) -> Bool {
    let (a, b) = (range(first), range(second))
    let order = unsafe bytes.withUnsafeBytes { all in
      // Safe: both ranges lie in the buffer; memcmp looks at as many bytes as both have.
      unsafe all.baseAddress.map {
        unsafe memcmp($0 + a.lowerBound, $0 + b.lowerBound, min(a.count, b.count))
      } ?? 0
    }
    return order == 0 ? a.count < b.count : order < 0
  }

  /// Whether two strings are the same bytes.
  func equal(_ first: Int, _ second: Int) -> Bool {
    let (a, b) = (range(first), range(second))
    guard a.count == b.count else { return false }
    return unsafe bytes.withUnsafeBytes { all in
      // Safe: both ranges lie in the buffer.
      unsafe all.baseAddress.map {
        unsafe memcmp($0 + a.lowerBound, $0 + b.lowerBound, a.count) == 0
      } ?? true
    }
  }

  /// A hash of a string: the same in every run, so that files are the same.
  func hash(_ index: Int) -> UInt64 {
    let range = range(index)
    let raw = unsafe bytes.span.bytes  // bytes have no padding
    var hash = UInt64(range.count) &* 0x9E37_79B9_7F4A_7C15
    var place = range.lowerBound
    while place + 8 <= range.upperBound {
      // Safe: eight bytes are left.
      let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
      hash = Self.mix(hash ^ word)
      place += 8
    }
    var rest: UInt64 = 0
    while place < range.upperBound {
      rest = rest << 8 | UInt64(bytes[place])
      place += 1
    }
    return Self.mix(hash ^ rest)
  }

  /// The finaliser of SplitMix64.
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
