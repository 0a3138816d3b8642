/// Where a value's bytes lie in its decoder's buffer.
struct ByteRange {
  var start: Int
  var end: Int
}

/// Gives the values of a page that are byte strings.
protocol BytesDecoder: AnyObject {
  /// What the ranges of the last `read` point into.
  var buffer: [UInt8] { get }
  /// Replaces the first `count` of `target`, which has room for them.
  func read(_ count: Int, into target: inout [ByteRange]) throws(ParquetError.Problem)
}

/// PLAIN byte arrays: a length of four bytes before each.
final class PlainBytesDecoder: BytesDecoder {
  let buffer: [UInt8]
  private var position: Int

  init(_ bytes: [UInt8], at position: Int) {
    buffer = bytes
    self.position = position
  }

  func read(_ count: Int, into target: inout [ByteRange]) throws(ParquetError.Problem) {
    let buffer = buffer
    let raw = unsafe buffer.span.bytes  // bytes have no padding
    let end = raw.byteCount
    var span = target.mutableSpan
    var place = position
    for index in 0..<count {
      guard end - place >= 4 else { throw .valuesEndEarly }
      // Safe: four bytes are left.
      let size = unsafe Int(raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt32.self))
      guard size <= end - place - 4 else { throw .valuesEndEarly }
      span[index] = ByteRange(start: place + 4, end: place + 4 + size)
      place += 4 + size
    }
    position = place
  }
}

/// PLAIN values of one length.
final class FixedBytesDecoder: BytesDecoder {
  let buffer: [UInt8]
  private var position: Int
  private let size: Int

  init(_ bytes: [UInt8], at position: Int, size: Int) {
    buffer = bytes
    self.position = position
    self.size = size
  }

  func read(_ count: Int, into target: inout [ByteRange]) throws(ParquetError.Problem) {
    guard count <= (buffer.count - position) / size else { throw .valuesEndEarly }
    for index in 0..<count {
      target[index] = ByteRange(start: position, end: position + size)
      position += size
    }
  }
}

/// BYTE_STREAM_SPLIT values of one length.
final class StreamSplitBytesDecoder: BytesDecoder {
  private(set) var buffer: [UInt8] = []
  private let bytes: [UInt8]
  private let start: Int
  private let size: Int
  private let count: Int
  private var next = 0

  init(_ bytes: [UInt8], at position: Int, size: Int) {
    self.bytes = bytes
    self.size = size
    start = position
    count = (bytes.count - position) / size
  }

  func read(_ wanted: Int, into target: inout [ByteRange]) throws(ParquetError.Problem) {
    guard wanted <= count - next else { throw .valuesEndEarly }
    buffer.removeAll(keepingCapacity: true)
    for index in 0..<wanted {
      for place in 0..<size { buffer.append(bytes[start + place * count + next + index]) }
      target[index] = ByteRange(start: index * size, end: (index + 1) * size)
    }
    next += wanted
  }
}

/// DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes.
final class DeltaLengthBytesDecoder: BytesDecoder {
  let buffer: [UInt8]
  private var lengths: DeltaDecoder
  private var position: Int

  init(_ bytes: [UInt8], at start: Int) throws(ParquetError.Problem) {
    buffer = bytes
    lengths = try DeltaDecoder(bytes, at: start)
    position = try lengths.end()
  }

  func read(_ count: Int, into target: inout [ByteRange]) throws(ParquetError.Problem) {
    for index in 0..<count {
      let size = try lengths.next()
      guard size >= 0, size <= buffer.count - position else { throw .valuesEndEarly }
      target[index] = ByteRange(start: position, end: position + Int(size))
      position += Int(size)
    }
  }
}

/// DELTA_BYTE_ARRAY: how much of the value before is kept, and what follows it.
final class DeltaBytesDecoder: BytesDecoder {
  private(set) var buffer: [UInt8] = []
  private var prefixes: DeltaDecoder
  private let suffixes: DeltaLengthBytesDecoder
  private var last: [UInt8] = []
  private var scratch: [ByteRange] = []
  private let limit: Int

  /// A decoder that gives at most `limit` bytes in a `read`: prefixes let few bytes stand for many.
  init(_ bytes: [UInt8], at start: Int, limit: Int) throws(ParquetError.Problem) {
    prefixes = try DeltaDecoder(bytes, at: start)
    suffixes = try DeltaLengthBytesDecoder(bytes, at: try prefixes.end())
    self.limit = limit
  }

  func read(_ count: Int, into target: inout [ByteRange]) throws(ParquetError.Problem) {
    if scratch.count < count {
      scratch = [ByteRange](repeating: ByteRange(start: 0, end: 0), count: count)
    }
    try suffixes.read(count, into: &scratch)
    buffer.removeAll(keepingCapacity: true)
    var before = ByteRange(start: 0, end: last.count)
    buffer += last
    for index in 0..<count {
      let prefix = try prefixes.next()
      guard prefix >= 0, prefix <= before.end - before.start else {
        throw .damaged("a value keeps more of the one before than there is")
      }
      let start = buffer.count
      let suffix = scratch[index]
      guard start + Int(prefix) + suffix.end - suffix.start <= limit else {
        throw .tooLarge("byte strings of more than \(limit) bytes in a batch")
      }
      buffer.append(contentsOf: buffer[before.start..<before.start + Int(prefix)])
      buffer.append(contentsOf: suffixes.buffer[suffix.start..<suffix.end])
      before = ByteRange(start: start, end: buffer.count)
      target[index] = before
    }
    last = Array(buffer[before.start..<before.end])
  }
}
