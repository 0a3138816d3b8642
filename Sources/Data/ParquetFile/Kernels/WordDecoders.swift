/// Gives the values of a page that are numbers or booleans, as 64 bits each: INT32 with its sign
/// extended, FLOAT and DOUBLE as their bit patterns, BOOLEAN as 0 or 1.
protocol WordDecoder: AnyObject {
  /// Replaces the first `count` of `target`, which has room for them.
  func read(_ count: Int, into target: inout [UInt64]) throws(ParquetError.Problem)
}

extension ParquetError.Problem {
  static let valuesEndEarly = Self.damaged("a page's values end early")
}

/// PLAIN values of four or eight bytes.
final class PlainWordDecoder: WordDecoder {
  private let bytes: [UInt8]
  private var position: Int
  private let isWide: Bool
  private let extendsSign: Bool

  init(_ bytes: [UInt8], at position: Int, isWide: Bool, extendsSign: Bool) {
    self.bytes = bytes
    self.position = position
    self.isWide = isWide
    self.extendsSign = extendsSign
  }

  func read(_ count: Int, into target: inout [UInt64]) throws(ParquetError.Problem) {
    let size = isWide ? 8 : 4
    guard count <= (bytes.count - position) / size else { throw .valuesEndEarly }
    let bytes = bytes
    let raw = unsafe bytes.span.bytes  // bytes have no padding
    var span = target.mutableSpan
    // Safe, all three: the guard has counted the bytes.
    if isWide {
      for index in 0..<count {
        span[index] = unsafe raw.unsafeLoadUnaligned(
          fromByteOffset: position + index * 8, as: UInt64.self)
      }
    } else if extendsSign {
      for index in 0..<count {
        let value = unsafe raw.unsafeLoadUnaligned(
          fromByteOffset: position + index * 4, as: Int32.self)
        span[index] = UInt64(bitPattern: Int64(value))
      }
    } else {
      for index in 0..<count {
        let value = unsafe raw.unsafeLoadUnaligned(
          fromByteOffset: position + index * 4, as: UInt32.self)
        span[index] = UInt64(value)
      }
    }
    position += count * size
  }
}

/// PLAIN booleans: a bit each, least significant first.
final class PlainBoolDecoder: WordDecoder {
  private let bytes: [UInt8]
  private var bit: Int

  init(_ bytes: [UInt8], at position: Int) {
    self.bytes = bytes
    bit = position * 8
  }

  func read(_ count: Int, into target: inout [UInt64]) throws(ParquetError.Problem) {
    guard count <= bytes.count * 8 - bit else { throw .valuesEndEarly }
    for index in 0..<count {
      target[index] = UInt64(bytes[bit >> 3] >> UInt8(bit & 7) & 1)
      bit += 1
    }
  }
}

/// RLE booleans: runs of one bit, after their length in four bytes.
final class RunLengthBoolDecoder: WordDecoder {
  private var runs: RunLengthDecoder
  private var scratch: [UInt32] = []

  init(_ bytes: [UInt8], at position: Int) throws(ParquetError.Problem) {
    guard bytes.count - position >= 4 else { throw .valuesEndEarly }
    let count = Int(LittleEndian.load32(bytes, at: position))
    guard count <= bytes.count - position - 4 else { throw .valuesEndEarly }
    runs = RunLengthDecoder(bytes, position + 4..<position + 4 + count, width: 1)
  }

  func read(_ count: Int, into target: inout [UInt64]) throws(ParquetError.Problem) {
    if scratch.count < count { scratch = [UInt32](repeating: 0, count: count) }
    try runs.read(count, into: &scratch)
    for index in 0..<count { target[index] = UInt64(scratch[index] & 1) }
  }
}

/// BYTE_STREAM_SPLIT values of four or eight bytes: all first bytes, then and so on.
final class StreamSplitWordDecoder: WordDecoder {
  private let bytes: [UInt8]
  private let start: Int
  private let size: Int
  private let count: Int
  private let extendsSign: Bool
  private var next = 0

  init(_ bytes: [UInt8], at position: Int, isWide: Bool, extendsSign: Bool) {
    self.bytes = bytes
    self.extendsSign = extendsSign
    start = position
    size = isWide ? 8 : 4
    count = (bytes.count - position) / size
  }

  func read(_ wanted: Int, into target: inout [UInt64]) throws(ParquetError.Problem) {
    guard wanted <= count - next else { throw .valuesEndEarly }
    for index in 0..<wanted { target[index] = 0 }
    for place in 0..<size {
      let first = start + place * count + next
      for index in 0..<wanted {
        target[index] |= UInt64(bytes[first + index]) << UInt64(8 * place)
      }
    }
    if extendsSign {
      for index in 0..<wanted {
        target[index] = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: target[index])))
      }
    }
    next += wanted
  }
}

/// DELTA_BINARY_PACKED integers.
final class DeltaWordDecoder: WordDecoder {
  private var deltas: DeltaDecoder
  private let isWide: Bool

  init(_ bytes: [UInt8], at position: Int, isWide: Bool) throws(ParquetError.Problem) {
    deltas = try DeltaDecoder(bytes, at: position)
    self.isWide = isWide
  }

  func read(_ count: Int, into target: inout [UInt64]) throws(ParquetError.Problem) {
    for index in 0..<count {
      let value = try deltas.next()
      // INT32 deltas wrap around at 32 bits.
      target[index] = UInt64(bitPattern: isWide ? value : Int64(Int32(truncatingIfNeeded: value)))
    }
  }
}
