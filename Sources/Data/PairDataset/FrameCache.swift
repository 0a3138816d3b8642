import Compression
import DurableFiles
import Synchronization

/// The content of the frames read last, of one shard or of several that share it.
///
/// The lock is held only to look and to put, so two threads may decode the same frame at once;
/// waiting would cost them as much.
package final class FrameCache: Sendable {
  /// The largest frame kept, decoded; ours have little over 1 MiB.
  static let maxFrame = 16 << 20
  /// The most frames kept, however small: each miss looks through all.
  private static let mostFrames = 256

  private struct Place: Hashable {
    var path: String
    var number: Int
  }
  private struct State {
    var frames: [Place: (content: [UInt8], use: Int)] = [:]
    var bytes = 0
    /// Counts uses: the frame with the lowest was used longest ago.
    var uses = 0
  }

  private let budget: Int
  private let state = Mutex(State())

  /// - Parameter budget: Bytes of decoded frames kept at most; 4 MiB hold about four of ours.
  package init(budget: Int = 4 << 20) { self.budget = budget }

  /// The content of the frame that lies between `start` and `end`.
  ///
  /// - Throws: `badFrame` when it does not decode to exactly that much; `file`.
  func content(
    of number: Int, in path: String, from start: TarByteStream.FrameStart,
    to end: TarByteStream.FrameStart
  ) throws(ShardError) -> [UInt8] {
    let place = Place(path: path, number: number)
    let found = state.withLock { state in
      state.uses += 1
      state.frames[place]?.use = state.uses
      return state.frames[place]?.content
    }
    if let found { return found }
    let content = try decode(path, from: start, to: end)
    state.withLock { state in
      guard state.frames[place] == nil else { return }
      state.frames[place] = (content, state.uses)
      state.bytes += content.count
      // The newest stays even when it alone is over the budget: its next pair is likely asked for.
      while state.bytes > budget || state.frames.count > Self.mostFrames, state.frames.count > 1,
        let oldest = state.frames.filter({ $0.key != place }).min(by: {
          $0.value.use < $1.value.use
        })
      {
        state.frames[oldest.key] = nil
        state.bytes -= oldest.value.content.count
      }
    }
    return content
  }

  private func decode(
    _ path: String, from start: TarByteStream.FrameStart, to end: TarByteStream.FrameStart
  ) throws(ShardError) -> [UInt8] {
    let bytes = try file(path) { () throws(FileError) in
      try DurableFile.read(path, count: end.fileOffset - start.fileOffset, at: start.fileOffset)
    }
    let size = end.tarOffset - start.tarOffset
    do throws(CompressionError) {
      // One byte more than promised shows a frame that is too long.
      guard let decoder = try StreamDecoder(beginning: Array(bytes.prefix(4))) else {
        throw CompressionError("no frame begins here")
      }
      var content: [UInt8] = []
      var rest = bytes[...]
      var isWhole = false
      while !isWhole {
        let step = try decoder.decode(rest, room: size - content.count + 1)
        content = content.isEmpty ? step.content : content + step.content
        rest = rest.dropFirst(step.consumed)
        isWhole = step.isEnd
        if content.count > size || (!isWhole && step.consumed == 0 && step.content.isEmpty) {
          throw CompressionError("it is not as long as the index says")
        }
      }
      guard content.count == size else {
        throw CompressionError("it is not as long as the index says")
      }
      return content
    } catch {
      throw ShardError(.badFrame(error.words), shard: path, offset: start.fileOffset)
    }
  }
}
