/// The distinct values of a column in the order of their first appearance, and an index into them
/// for each value: what dictionary encoding stores.
struct DistinctValues {
  /// The most bytes of a dictionary page.
  private static let largest = 1 << 20
  /// After how many values it is asked whether they repeat.
  private static let sample = 8192

  /// The number, among all values, of each distinct value's first appearance.
  private(set) var firsts: [Int] = []
  private(set) var indices: [UInt32] = []
  /// The bytes of the distinct values in the encoding PLAIN.
  private var size = 0

  /// The bits of an index.
  var width: Int { max(1, Int.bitWidth - (firsts.count - 1).leadingZeroBitCount) }

  /// Nil where a dictionary does not pay: it would be too large, or not save a byte.
  init?(_ buffer: LeafBuffer) {
    let count = buffer.valueCount
    guard count > 0, buffer.physicalType != .boolean else { return nil }
    var table = [UInt32](repeating: 0, count: 1 << 12)  // numbers of distinct values, plus one
    indices.reserveCapacity(count)
    for index in 0..<count {
      if index & (Self.sample - 1) == Self.sample - 1, firsts.count * 4 > index * 3 { return nil }
      var slot = Int(truncatingIfNeeded: Self.hash(buffer, index)) & (table.count - 1)
      while table[slot] != 0 {
        if Self.equal(buffer, firsts[Int(table[slot]) - 1], index) { break }
        slot = (slot + 1) & (table.count - 1)
      }
      if table[slot] == 0 {
        size += buffer.plainSize(index..<index + 1)
        guard size <= Self.largest else { return nil }
        firsts.append(index)
        table[slot] = UInt32(firsts.count)
        indices.append(UInt32(firsts.count - 1))
        if firsts.count * 2 > table.count { table = grown(table, buffer) }
      } else {
        indices.append(table[slot] - 1)
      }
    }
    guard size + count * width / 8 < buffer.plainSize(0..<count) else { return nil }
  }

  private func grown(_ table: [UInt32], _ buffer: LeafBuffer) -> [UInt32] {
    var larger = [UInt32](repeating: 0, count: table.count * 4)
    for (number, first) in firsts.enumerated() {
      var slot = Int(truncatingIfNeeded: Self.hash(buffer, first)) & (larger.count - 1)
      while larger[slot] != 0 { slot = (slot + 1) & (larger.count - 1) }
      larger[slot] = UInt32(number + 1)
    }
    return larger
  }

  private static func hash(_ buffer: LeafBuffer, _ index: Int) -> UInt64 {
    buffer.isBytes ? buffer.strings.hash(index) : ByteStrings.mix(buffer.words[index])
  }

  private static func equal(_ buffer: LeafBuffer, _ first: Int, _ second: Int) -> Bool {
    buffer.isBytes
      ? buffer.strings.equal(first, second) : buffer.words[first] == buffer.words[second]
  }
}
