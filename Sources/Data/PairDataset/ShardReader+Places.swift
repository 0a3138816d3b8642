/// Where a pair lies in the file of its shard.
public struct PairPlace: Sendable, Equatable {
  /// Where its first member's header begins in the tar.
  public var tarOffset: Int
  /// The bytes of its members with headers and padding.
  public var length: Int
  /// The compressed frame in which it begins; nil in a plain tar, where the tar is the file.
  public var frame: TarFrame?
  /// The number of that frame, from 0.
  public var frameNumber: Int?

  /// Where it begins in its frame, unpacked.
  public var offsetInFrame: Int { tarOffset - (frame?.tarOffset ?? 0) }
}

extension ShardReader {
  /// Where the pair at `index` lies, which is in 0 ..< ``count``: what the index says, nothing is read.
  public func place(of index: Int) -> PairPlace {
    let entry = self.index.entries[index]
    var place = PairPlace(tarOffset: entry.start, length: entry.length)
    if !self.index.frames.isEmpty {
      let number = self.index.frameNumber(holding: entry.start)
      let frame = self.index.frames[number]
      place.frame = TarFrame(fileOffset: frame.fileOffset, tarOffset: frame.tarOffset)
      place.frameNumber = number
    }
    return place
  }
}

extension ShardReader {
  /// The bytes of the shard's file.
  public var fileSize: Int { index.fileSize }

  /// Whether a pair is reached by unpacking more than a frame that is kept: foreign archives of one stream.
  public var isSlowAtRandom: Bool {
    guard isCompressed else { return false }
    let starts = index.frames.map(\.tarOffset) + [index.tarSize]
    return zip(starts, starts.dropFirst()).contains { $1 - $0 > FrameCache.maxFrame }
  }
}
