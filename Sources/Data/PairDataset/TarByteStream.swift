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
/// Holds at most about 2 MiB, whatever the sizes in the archive claim.
final class TarByteStream {
  typealias FrameStart = TarFrame

  private static let chunkSize = 1 << 20

  let path: String
  /// The offset in the tar of the next byte.
  private(set) var position: Int
  /// The frames begun so far; none for a plain tar.
  private(set) var frames: [FrameStart] = []
  private let fileSize: Int
  private let decoder: StreamDecoder?
  private var fileOffset: Int
  private var isInsideFrame = false
  // What is read from the file, not yet decoded; then what is decoded, not yet handed out.
  private var input: ArraySlice<UInt8> = []
  private var content: ArraySlice<UInt8>

  /// The tar in the file at `path`.
  ///
  /// - Parameters:
  ///   - path: A tar, plain or in LZ4, gzip or zstd, told by its content.
  ///   - frame: Where to begin; nil is the file's start.
  /// - Throws: `file`.
  init(path: String, from frame: FrameStart? = nil) throws(ShardError) {
    self.path = path
    fileSize = try file(path) { () throws(FileError) in try DurableFile.size(of: path) }
    let magic = try file(path) { () throws(FileError) in
      try DurableFile.read(path, count: 4, at: 0)
    }
    do { decoder = try StreamDecoder(beginning: magic) } catch {
      throw ShardError(.badFrame(error.words), shard: path)
    }
    fileOffset = frame?.fileOffset ?? 0
    position = frame?.tarOffset ?? 0
    content = []
  }

  /// The tar bytes `content`, which stand at `position` in the shard at `path`.
  init(_ content: ArraySlice<UInt8>, at position: Int, of path: String) {
    self.path = path
    self.content = content
    self.position = position
    fileSize = 0
    fileOffset = 0
    decoder = nil
  }

  var isCompressed: Bool { decoder != nil }

  /// The last frame begun at or before the next byte; nil for a plain tar.
  ///
  /// The next byte may be the first of a frame that is not yet begun; unpacking from this one reaches
  /// it all the same.
  var frame: FrameStart? { frames.last }

  /// Whether no byte is left.
  func isAtEnd() throws(ShardError) -> Bool {
    if content.isEmpty { try refill() }
    return content.isEmpty
  }

  /// The next `count` bytes.
  ///
  /// - Throws: `truncated` when fewer are left; memory follows what is there, not what is asked for.
  func read(_ count: Int) throws(ShardError) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(min(count, Self.chunkSize))
    while result.count < count {
      if content.isEmpty { try refill() }
      if content.isEmpty {
        throw ShardError(
          .truncated(needed: count, found: result.count), shard: path,
          offset: position - result.count)
      }
      let part = content.prefix(count - result.count)
      result += part
      content = content.dropFirst(part.count)
      position += part.count
    }
    return result
  }

  /// Passes over the next `count` bytes; of a plain file they are not read.
  func skip(_ count: Int) throws(ShardError) {
    var left = count
    while left > 0 {
      if content.isEmpty && decoder == nil && left > Self.chunkSize {
        let jump = min(left, fileSize - fileOffset)
        fileOffset += jump
        position += jump
        left -= jump
      }
      if content.isEmpty { try refill() }
      if content.isEmpty && left > 0 {
        throw ShardError(
          .truncated(needed: count, found: count - left), shard: path,
          offset: position - (count - left))
      }
      let part = min(left, content.count)
      content = content.dropFirst(part)
      position += part
      left -= part
    }
  }

  /// Passes over the rest, verifying the checksums of its frames.
  func skipToEnd() throws(ShardError) {
    while try !isAtEnd() { try skip(content.count) }
  }

  /// Brings more content, none at the end of the file.
  private func refill() throws(ShardError) {
    guard let decoder else {
      content = try readFile()[...]
      return
    }
    while content.isEmpty {
      if input.isEmpty { input = try readFile()[...] }
      if input.isEmpty {
        if isInsideFrame {
          throw ShardError(.badFrame("it ends early"), shard: path, offset: fileOffset)
        }
        return
      }
      if !isInsideFrame {
        frames.append(FrameStart(fileOffset: fileOffset - input.count, tarOffset: position))
        isInsideFrame = true
      }
      let step: DecompressedPiece
      do { step = try decoder.decode(input, room: Self.chunkSize) } catch {
        throw ShardError(.badFrame(error.words), shard: path, offset: fileOffset - input.count)
      }
      input = input.dropFirst(step.consumed)
      content = step.content[...]
      if step.isEnd { isInsideFrame = false }
      if step.consumed == 0 && step.content.isEmpty {
        throw ShardError(.badFrame("no progress"), shard: path, offset: fileOffset - input.count)
      }
    }
  }

  private func readFile() throws(ShardError) -> [UInt8] {
    guard fileOffset < fileSize else { return [] }
    let (offset, count) = (fileOffset, min(Self.chunkSize, fileSize - fileOffset))
    let bytes = try file(path) { () throws(FileError) in
      try DurableFile.read(path, count: count, at: offset)
    }
    fileOffset += bytes.count
    return bytes
  }
}
