/// Decodes DELTA_BINARY_PACKED (Encodings.md), a value at a time.
struct DeltaDecoder {
  private let bytes: [UInt8]
  private var position: Int
  /// The values of a miniblock.
  private var miniblock = 0
  private var miniblocksPerBlock = 0
  /// The values that are yet to be given.
  private var left = 0
  private var value: Int64 = 0
  private var isFirst = true
  private var minimum: Int64 = 0
  /// Where the widths of the block's miniblocks that are yet to come lie.
  private var widths = 0..<0
  private var width = 0
  private var leftInMiniblock = 0
  private var bit = 0

  init(_ bytes: [UInt8], at start: Int) throws(ParquetError.Problem) {
    self.bytes = bytes
    position = start
    let block = try varint()
    let parts = try varint()
    let total = try varint()
    let first = try varint()
    guard block > 0, parts > 0, block <= 1 << 30, parts <= block, block % parts == 0,
      (block / parts) % 8 == 0, total <= UInt64(Int32.max)
    else { throw .damaged("a delta header is impossible") }
    miniblock = Int(block / parts)
    miniblocksPerBlock = Int(parts)
    left = Int(total)
    value = Self.unzigzag(first)
  }

  private mutating func varint() throws(ParquetError.Problem) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64, position < bytes.count {
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw .valuesEndEarly
  }

  private static func unzigzag(_ value: UInt64) -> Int64 {
    Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// The next value, modulo 2 to the power of 64.
  mutating func next() throws(ParquetError.Problem) -> Int64 {
    guard left > 0 else { throw .valuesEndEarly }
    left -= 1
    if isFirst {
      isFirst = false
      return value
    }
    if leftInMiniblock == 0 { try nextMiniblock() }
    leftInMiniblock -= 1
    var delta: UInt64 = 0
    if width > 0 {
      let byte = bit >> 3
      let shift = UInt64(bit & 7)
      delta = load(byte) >> shift
      // A value of more than 56 bits may reach into a ninth byte.
      if Int(shift) + width > 64 { delta |= load(byte + 8) << (64 - shift) }
      if width < 64 { delta &= 1 << UInt64(width) - 1 }
      bit += width
    }
    value = value &+ minimum &+ Int64(bitPattern: delta)
    return value
  }

  @inline(__always)
  private func load(_ byte: Int) -> UInt64 {
    byte + 8 <= bytes.count
      // Safe: eight bytes are left.
      ? unsafe bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: byte, as: UInt64.self)
      : BitUnpacking.tail(bytes, byte, bytes.count)
  }

  private mutating func nextMiniblock() throws(ParquetError.Problem) {
    if widths.isEmpty {
      minimum = Self.unzigzag(try varint())
      guard miniblocksPerBlock <= bytes.count - position else { throw .valuesEndEarly }
      widths = position..<position + miniblocksPerBlock
      position += miniblocksPerBlock
    }
    width = Int(bytes[widths.lowerBound])
    widths = widths.lowerBound + 1..<widths.upperBound
    guard width <= 64 else { throw .damaged("a delta of \(width) bits") }
    // The last miniblock may lack the padding after its last value.
    let size = miniblock / 8 * width
    bit = position * 8
    let needed = (min(miniblock, left + 1) * width + 7) / 8
    guard needed <= bytes.count - position else { throw .valuesEndEarly }
    position = min(bytes.count, position + size)
    leftInMiniblock = miniblock
  }

  /// Where the bytes after all of the values begin; they are walked by miniblock, not by value.
  func end() throws(ParquetError.Problem) -> Int {
    var walker = self
    walker.left = max(0, walker.left - (walker.isFirst ? 1 : 0))
    while walker.left > 0 {
      walker.left -= 1  // as if one had been taken, so that the counting is that of `next`
      try walker.nextMiniblock()
      walker.left -= min(walker.left, walker.miniblock - 1)
    }
    return walker.position
  }
}
