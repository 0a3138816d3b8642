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
    /// Not the path: another file may take its name.
    var reader: Int
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

  /// That of all readers which are given no other: 64 MiB, some three shards of 1,000 small pictures.
  static let shared = FrameCache(budget: 64 << 20)

  /// - Parameter budget: Bytes of decoded frames kept at most; 4 MiB hold about four of ours.
  package init(budget: Int) { self.budget = budget }

  /// A number for one reader of one file.
  static func newReader() -> Int { readers.add(1, ordering: .relaxed).newValue }
  private static let readers = Atomic<Int>(0)

  /// The content of the frames that lie between `start` and `end`.
  ///
  /// - Parameters:
  ///   - number: Of the frame in its shard.
  ///   - reader: The ``newReader()`` of the shard's reader.
  ///   - source: The shard.
  ///   - start: Where the frame begins.
  ///   - end: Where the next begins.
  /// - Returns: As many bytes as lie between them in the tar.
  /// - Throws: `badFrame` when it is not exactly that much; what reading throws.
  func content(
    of number: Int, for reader: Int, in source: ShardFile, from start: TarByteStream.FrameStart,
    to end: TarByteStream.FrameStart
  ) throws(ShardError) -> [UInt8] {
    let place = Place(reader: reader, number: number)
    let found = state.withLock { state in
      state.uses += 1
      state.frames[place]?.use = state.uses
      return state.frames[place]?.content
    }
    if let found { return found }
    let content = try decode(source, from: start, to: end)
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
    _ source: ShardFile, from start: TarByteStream.FrameStart, to end: TarByteStream.FrameStart
  ) throws(ShardError) -> [UInt8] {
    let stream = try TarByteStream(source, from: start, cuts: [end])
    let content = try stream.read(end.tarOffset - start.tarOffset)
    guard try stream.endsFrame() else {
      throw ShardError(
        .badFrame("it is not as long as the index says; try without the .idx beside it"),
        shard: source.path, offset: start.fileOffset)
    }
    return content
  }
}
