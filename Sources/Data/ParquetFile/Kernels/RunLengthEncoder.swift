/// Encodes levels and dictionary indices as the hybrid of runs and bit-packed groups
/// (Encodings.md § RLE).
enum RunLengthEncoder {
  /// A run shorter than this is packed: a group is eight values.
  private static let group = 8

  /// Appends `values[range]`, each of at most `width` bits.
  static func append(
    _ values: [UInt32], _ range: Range<Int>, width: Int, to target: inout [UInt8]
  ) {
    var index = range.lowerBound
    while index < range.upperBound {
      let run = runLength(values, index, range.upperBound)
      if run >= group {
        appendRun(values[index], run, width: width, to: &target)
        index += run
      } else {
        // Whole groups up to a place where a run begins; the last may end early.
        var end = index
        repeat {
          end += group
        } while end < range.upperBound && !isRun(values, end, range.upperBound)
        appendPacked(values, index..<min(end, range.upperBound), width: width, to: &target)
        index = end
      }
    }
  }

  private static func runLength(_ values: [UInt32], _ start: Int, _ end: Int) -> Int {
    var index = start + 1
    while index < end, values[index] == values[start] { index += 1 }
    return index - start
  }

  private static func isRun(_ values: [UInt32], _ start: Int, _ end: Int) -> Bool {
    start + group <= end && runLength(values, start, start + group) == group
  }

  private static func appendVarint(_ value: Int, to target: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      target.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    target.append(UInt8(rest))
  }

  private static func appendRun(
    _ value: UInt32, _ count: Int, width: Int, to target: inout [UInt8]
  ) {
    appendVarint(count << 1, to: &target)
    for place in 0..<(width + 7) / 8 {
      target.append(UInt8(truncatingIfNeeded: value >> (8 * UInt32(place))))
    }
  }

  private static func appendPacked(
    _ values: [UInt32], _ range: Range<Int>, width: Int, to target: inout [UInt8]
  ) {
    let groups = (range.count + group - 1) / group
    appendVarint(groups << 1 | 1, to: &target)
    var pending: UInt64 = 0
    var bits = 0
    for index in range.lowerBound..<range.lowerBound + groups * group {
      if index < range.upperBound { pending |= UInt64(values[index]) << UInt64(bits) }
      bits += width
      while bits >= 8 {
        target.append(UInt8(truncatingIfNeeded: pending))
        pending >>= 8
        bits -= 8
      }
    }
  }
}
