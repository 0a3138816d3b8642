import ContentHashing

/// Where each pair of a shard is: the sidecar `NAME.idx`.
///
/// Layout: `PLIX`, version (1 byte), then LEB128 numbers: size of the shard's file; size of its
/// tar; the number of LZ4 frames, and for each the distance from the one before in the file and in
/// the tar; the number of pairs, and for each the distance of its first header from the end of the
/// pair before, the length of its members with their headers, the length of its key, and the key.
/// At the end the SHA-256 of all that (32 bytes). An index is a hint: one that does not fit its
/// shard is passed over and the shard scanned, and what it says of a pair is held against the tar
/// when the pair is read.
struct ShardIndex: Equatable {
  struct Entry: Equatable {
    var key: String
    /// Where its first member's header begins in the tar.
    var start: Int
    /// Its members with headers and padding.
    var length: Int
  }

  /// The size of the shard's file.
  var fileSize: Int
  /// The size of the tar within.
  var tarSize: Int
  /// Empty for a plain tar.
  var frames: [TarByteStream.FrameStart]
  var entries: [Entry]

  private static let magic = Array("PLIX".utf8) + [1]

  func encoded() -> [UInt8] {
    var bytes = Self.magic
    func put(_ number: Int) {
      var rest = UInt(number)
      while rest > 0x7F {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }
    put(fileSize)
    put(tarSize)
    put(frames.count)
    var last = TarByteStream.FrameStart(fileOffset: 0, tarOffset: 0)
    for frame in frames {
      put(frame.fileOffset - last.fileOffset)
      put(frame.tarOffset - last.tarOffset)
      last = frame
    }
    put(entries.count)
    var end = 0
    for entry in entries {
      put(entry.start - end)
      put(entry.length)
      put(entry.key.utf8.count)
      bytes += Array(entry.key.utf8)
      end = entry.start + entry.length
    }
    return Self.sealed(bytes)
  }

  /// `body` with its checksum behind it.
  static func sealed(_ body: [UInt8]) -> [UInt8] { body + ContentHash.sha256(body) }

  /// The index in `bytes`; nil when they are none, damaged, impossible or of another version.
  ///
  /// Memory follows the bytes that are there, whatever their counts claim.
  static func decode(_ bytes: [UInt8]) -> ShardIndex? {
    let body = bytes.dropLast(32)
    guard bytes.count > magic.count + 32, body.starts(with: magic),
      ContentHash.sha256(Array(body)).elementsEqual(bytes.suffix(32))
    else { return nil }
    var reader = NumberReader(rest: body.dropFirst(magic.count))
    guard let fileSize = reader.next(), let tarSize = reader.next(),
      let frameCount = reader.next()
    else { return nil }
    var index = ShardIndex(fileSize: fileSize, tarSize: tarSize, frames: [], entries: [])
    var last = TarByteStream.FrameStart(fileOffset: 0, tarOffset: 0)
    for _ in 0..<frameCount {
      guard let file = reader.next(), let tar = reader.next() else { return nil }
      last.fileOffset += file
      last.tarOffset += tar
      // The first frame begins the file; each holds something.
      let isPlaced = index.frames.isEmpty ? file == 0 && tar == 0 : file > 0 && tar > 0
      guard isPlaced, last.fileOffset < fileSize, last.tarOffset < tarSize else { return nil }
      index.frames.append(last)
    }
    guard let count = reader.next() else { return nil }
    var end = 0
    for _ in 0..<count {
      guard let gap = reader.next(), let length = reader.next(), let keyLength = reader.next(),
        let bytes = reader.bytes(keyLength)
      else { return nil }
      let start = end + gap
      end = start + length
      let key = String(decoding: bytes, as: UTF8.self)
      guard end <= tarSize, length > 0, (start | length) % TarFormat.blockSize == 0,
        !key.isEmpty, SampleGrouping.danger(of: key) == nil
      else { return nil }
      index.entries.append(Entry(key: key, start: start, length: length))
    }
    return reader.rest.isEmpty ? index : nil
  }

  /// Where the file and the tar end, as the frame after the last would begin.
  var end: TarByteStream.FrameStart {
    TarByteStream.FrameStart(fileOffset: fileSize, tarOffset: tarSize)
  }

  /// The last frame that begins at or before `position` of the tar; there is at least one.
  func frameNumber(holding position: Int) -> Int {
    var low = 0
    var high = frames.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if frames[middle].tarOffset <= position { low = middle } else { high = middle }
    }
    return low
  }

  private struct NumberReader {
    var rest: ArraySlice<UInt8>

    /// The next number; nil where the bytes end or it has more than 52 bits.
    mutating func next() -> Int? {
      var value = 0
      var shift = 0
      while let byte = rest.popFirst() {
        guard shift < 56 else { return nil }
        value |= Int(byte & 0x7F) << shift
        if byte & 0x80 == 0 { return value <= TarFormat.maxSize ? value : nil }
        shift += 7
      }
      return nil
    }

    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
      guard count <= rest.count else { return nil }
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }
  }

  /// The place of the index of the shard at `path`.
  static func path(beside path: String) -> String {
    for compression in ShardCompression.allCases {
      let ending = "." + compression.fileExtension
      if path.hasSuffix(ending) { return path.dropLast(ending.count) + ".idx" }
    }
    return path + ".idx"
  }
}
