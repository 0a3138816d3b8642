import Compression
import DurableFiles

/// Where a frame of a compressed tar begins, in the file and in the tar that it holds.
///
/// A frame, or gzip member, is unpacked without those before it.
public struct TarFrame: Sendable, Equatable {
  public var fileOffset: Int
  public var tarOffset: Int

  public init(fileOffset: Int, tarOffset: Int) {
    self.fileOffset = fileOffset
    self.tarOffset = tarOffset
  }
}

/// The bytes of a tar in order: from a file, unpacked where it is compressed, or from memory.
///
/// Holds at most about 8 MiB, whatever the sizes in the archive claim.
final class TarByteStream {
  typealias FrameStart = TarFrame

  private static let chunkSize = 1 << 20
  /// The most that is read at once where the ends of frames are known.
  private static let mostRead = 4 << 20
  /// Frames nearer to the last one noted than this, in the tar, are not noted: a hostile archive of
  /// tiny ones costs no memory, and unpacking from the one before reaches them soon.
  private static let frameDistance = 1 << 16

  let path: String
  /// The offset in the tar of the next byte.
  private(set) var position: Int
  /// The frames begun so far, those that lie close to the one before left out; none for a plain tar,
  /// nor where `cuts` named them.
  private(set) var frames: [FrameStart] = []
  private let source: ShardFile?
  private let decoder: StreamDecoder?
  private var fileOffset: Int
  private var isInsideFrame = false
  /// Where frames are said to end; reading up to there lets them be unpacked without a copy.
  private var cuts: ArraySlice<FrameStart>
  // What is read from the file and not yet unpacked; then what is unpacked and not yet handed out.
  private var input: [UInt8] = []
  private var pending = 0..<0
  private var content: [UInt8]
  private var cursor = 0
  private var end: Int

  /// The tar in a file.
  ///
  /// - Parameters:
  ///   - source: A tar, plain or in LZ4, gzip or zstd, told by its content.
  ///   - frame: Where to begin; nil is the file's start.
  ///   - cuts: Frames behind the first, in order, as an index names them: they only make it faster.
  /// - Throws: `file`, `unsupported`.
  init(
    _ source: ShardFile, from frame: FrameStart? = nil, cuts: ArraySlice<FrameStart> = []
  ) throws(ShardError) {
    path = source.path
    self.source = source
    self.cuts = cuts
    let magic = try source.read(count: 6, at: 0)
    if let format = StreamDecoder.unsupportedFormat(magic) {
      throw ShardError(.unsupported("a \(format) archive"), shard: source.path)
    }
    do { decoder = try StreamDecoder(beginning: magic) } catch {
      throw ShardError(.badFrame(error.words), shard: source.path)
    }
    fileOffset = frame?.fileOffset ?? 0
    position = frame?.tarOffset ?? 0
    content = []
    end = 0
  }

  /// The tar in the file at `path`.
  convenience init(path: String, from frame: FrameStart? = nil) throws(ShardError) {
    try self.init(try ShardFile(path), from: frame)
  }

  /// The tar bytes `content[range]`, which stand at `position` in the shard at `path`.
  init(_ content: [UInt8], _ range: Range<Int>, at position: Int, of path: String) {
    precondition(range.upperBound <= content.count, "\(range) of \(content.count) bytes")
    self.path = path
    self.content = content
    self.position = position
    cursor = range.lowerBound
    end = range.upperBound
    cuts = []
    source = nil
    fileOffset = 0
    decoder = nil
  }

  var isCompressed: Bool { decoder != nil }

  /// The last frame noted that begins at or before the next byte; nil for a plain tar.
  ///
  /// The next byte may be the first of a frame that is not yet begun; unpacking from this one reaches
  /// it all the same.
  var frame: FrameStart? { frames.last }

  /// Whether no byte is left.
  func isAtEnd() throws(ShardError) -> Bool {
    if cursor == end { try refill() }
    return cursor == end
  }

  /// The next block as a header of a tar.
  ///
  /// - Throws: `truncated`, or what reading throws.
  func readHeader() throws(ShardError) -> TarFormat.Parsed {
    if end - cursor >= TarFormat.blockSize {
      defer { advance(TarFormat.blockSize) }
      return TarFormat.parse(content, at: cursor)
    }
    return TarFormat.parse(try read(TarFormat.blockSize), at: 0)
  }

  /// The next `count` bytes.
  ///
  /// - Throws: `truncated` when fewer are left; memory follows what is there, not what is asked for.
  func read(_ count: Int) throws(ShardError) -> [UInt8] {
    if count <= end - cursor {
      defer { advance(count) }
      return Array(content[cursor..<cursor + count])
    }
    var result: [UInt8] = []
    result.reserveCapacity(min(count, Self.chunkSize))
    while result.count < count {
      if cursor == end { try refill() }
      if cursor == end {
        throw ShardError(
          .truncated(needed: count, found: result.count), shard: path,
          offset: position - result.count)
      }
      let part = min(end - cursor, count - result.count)
      result += content[cursor..<cursor + part]
      advance(part)
    }
    return result
  }

  /// Passes over the next `count` bytes; of a plain file they are not read.
  func skip(_ count: Int) throws(ShardError) {
    var left = count
    while left > 0 {
      if cursor == end, decoder == nil, let source, left > Self.chunkSize {
        let jump = max(0, min(left, source.size - fileOffset))
        fileOffset += jump
        position += jump
        left -= jump
      }
      if cursor == end { try refill() }
      if cursor == end && left > 0 {
        throw ShardError(
          .truncated(needed: count, found: count - left), shard: path,
          offset: position - (count - left))
      }
      let part = min(left, end - cursor)
      advance(part)
      left -= part
    }
  }

  /// Passes over the rest, verifying the checksums of its frames.
  func skipToEnd() throws(ShardError) {
    while try !isAtEnd() { advance(end - cursor) }
  }

  /// Whether the frame that holds the last byte ends there, its checksum verified.
  func endsFrame() throws(ShardError) -> Bool {
    while isInsideFrame && cursor == end { try decodeStep() }
    return cursor == end
  }

  private func advance(_ count: Int) {
    cursor += count
    position += count
  }

  /// Brings more content, none at the end of the file.
  private func refill() throws(ShardError) {
    guard decoder != nil else {
      cursor = 0
      end = try readFile(into: &content)
      return
    }
    while cursor == end {
      if pending.isEmpty && !isInsideFrame {
        let whole = try readWholeFrames()
        if whole { continue }
      }
      if pending.isEmpty { pending = 0..<(try readFile(into: &input)) }
      if pending.isEmpty {
        if isInsideFrame {
          throw ShardError(.badFrame("it ends early"), shard: path, offset: fileOffset)
        }
        return
      }
      if !isInsideFrame { beginFrame() }
      try decodeStep()
    }
  }

  /// Where the next two frames are known to end, unpacks them in one go; whether it did.
  ///
  /// Frames of unusual kinds are left in `pending`, as those are whose end is not known.
  private func readWholeFrames() throws(ShardError) -> Bool {
    guard case .lz4 = decoder, let source else { return false }
    while let cut = cuts.first, cut.fileOffset <= fileOffset { cuts.removeFirst() }
    let near = cuts.prefix(2).prefix { $0.fileOffset - fileOffset <= Self.mostRead }
    guard let last = near.last, last.fileOffset <= source.size else { return false }
    let count = last.fileOffset - fileOffset
    let read = try source.read(into: &input, count: count, at: fileOffset)
    guard read == count else { return false }
    let middle = near.count == 2 ? [near[near.startIndex].fileOffset - fileOffset] : []
    let ranges = zip([0] + middle, middle + [count]).map { $0..<$1 }
    fileOffset += count
    guard let size = LZ4Frame.decodeWhole(input, ranges, into: &content) else {
      pending = 0..<count
      return false
    }
    cursor = 0
    end = size
    return true
  }

  private func beginFrame() {
    let start = FrameStart(fileOffset: fileOffset - pending.count, tarOffset: position)
    if frames.last.map({ start.tarOffset - $0.tarOffset >= Self.frameDistance }) ?? true {
      frames.append(start)
    }
    isInsideFrame = true
  }

  /// Unpacks a piece of the frame that is begun; `content` is used up.
  private func decodeStep() throws(ShardError) {
    guard let decoder else { return }
    if pending.isEmpty { pending = 0..<(try readFile(into: &input)) }
    let offset = fileOffset - pending.count
    let step: DecompressionStep
    do { step = try decoder.decode(input, pending, into: &content) } catch {
      throw ShardError(.badFrame(error.words), shard: path, offset: offset)
    }
    pending = pending.lowerBound + step.consumed..<pending.upperBound
    cursor = 0
    end = step.written
    if step.isEnd { isInsideFrame = false }
    if step.consumed == 0 && step.written == 0 {
      let words = pending.isEmpty ? "it ends early" : "no progress"
      throw ShardError(.badFrame(words), shard: path, offset: offset)
    }
  }

  /// Reads the next piece of the file to the start of `buffer` and gives its size; 0 at the end.
  private func readFile(into buffer: inout [UInt8]) throws(ShardError) -> Int {
    guard let source, fileOffset < source.size else { return 0 }
    let count = min(Self.chunkSize, source.size - fileOffset)
    let read = try source.read(into: &buffer, count: count, at: fileOffset)
    fileOffset += read
    return read
  }
}
