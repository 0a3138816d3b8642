import DurableFiles
import Synchronization

/// The content of the frames read last.
///
/// The lock is held only to look and to put, so two threads may decode the same frame at once;
/// waiting would cost them as much.
final class FrameCache: Sendable {
  /// The largest frame kept, decoded; ours have little over 1 MiB.
  static let maxFrame = 16 << 20
  private static let capacity = 4

  private struct Kept {
    var number: Int
    var content: [UInt8]
  }

  private let path: String
  private let kept = Mutex<[Kept]>([])

  init(path: String) { self.path = path }

  /// The content of the frame that lies between `start` and `end`.
  ///
  /// - Throws: `badFrame` when it does not decode to exactly that much; `file`.
  func content(
    of number: Int, from start: TarByteStream.FrameStart, to end: TarByteStream.FrameStart
  ) throws(ShardError) -> [UInt8] {
    let found = kept.withLock { kept -> [UInt8]? in
      guard let place = kept.firstIndex(where: { $0.number == number }) else { return nil }
      let frame = kept.remove(at: place)
      kept.append(frame)  // the least recently used is first
      return frame.content
    }
    if let found { return found }
    let content = try decode(from: start, to: end)
    kept.withLock { kept in
      kept.removeAll { $0.number == number }
      if kept.count >= Self.capacity { kept.removeFirst() }
      kept.append(Kept(number: number, content: content))
    }
    return content
  }

  private func decode(from start: TarByteStream.FrameStart, to end: TarByteStream.FrameStart)
    throws(ShardError) -> [UInt8]
  {
    let path = path
    let bytes = try file(path) { () throws(FileError) in
      try DurableFile.read(path, count: end.fileOffset - start.fileOffset, at: start.fileOffset)
    }
    let size = end.tarOffset - start.tarOffset
    do throws(LZ4FrameDecoder.Failure) {
      // One byte more than promised shows a frame that is too long.
      let decoder = try LZ4FrameDecoder()
      var content: [UInt8] = []
      var rest = bytes[...]
      var isWhole = false
      while !isWhole {
        let step = try decoder.decode(rest, room: size - content.count + 1)
        content = content.isEmpty ? step.content : content + step.content
        rest = rest.dropFirst(step.consumed)
        isWhole = step.endsFrame
        if content.count > size || (!isWhole && step.consumed == 0 && step.content.isEmpty) {
          throw LZ4FrameDecoder.Failure(words: "it is not as long as the index says")
        }
      }
      guard content.count == size else {
        throw LZ4FrameDecoder.Failure(words: "it is not as long as the index says")
      }
      return content
    } catch {
      throw ShardError(.badFrame(error.words), shard: path, offset: start.fileOffset)
    }
  }
}
