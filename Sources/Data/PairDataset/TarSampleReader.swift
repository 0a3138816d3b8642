/// A sample of a WebDataset tar as it stands there.
public struct TarSample: Sendable, Equatable {
  public var key: String
  /// The data of `.txt`; nil where there is none.
  public var text: [UInt8]?
  /// The data of `.json`; nil where there is none.
  public var metadata: [UInt8]?
  /// Where the picture lies; nil where there is none.
  public var picture: Picture?

  /// A picture in the tar.
  public struct Picture: Sendable, Equatable {
    /// Bytes into the tar, decompressed.
    public var offset: Int
    public var length: Int
    /// The frame of a compressed tar in which it begins.
    public var frame: TarFrame?
  }
}

/// Reads the samples of one WebDataset tar in order, plain or in LZ4, gzip or zstd.
///
/// Memory: the texts of one sample and, of a compressed tar, its picture; of a plain one the pictures
/// are passed over unread.
public final class TarSampleReader {
  private let path: String
  private let stream: TarByteStream
  private let reader: TarReader
  public let isCompressed: Bool
  private var collector = SampleGrouping.Collector<Payload>()
  private var picture: (offset: Int, data: [UInt8])?
  private var isFinished = false

  private struct Payload {
    var member: TarReader.Member
    var data: [UInt8]
    var frame: TarFrame?
  }

  /// - Throws: `file`.
  public init(path: String) throws(ShardError) {
    self.path = path
    stream = try TarByteStream(path: path)
    reader = TarReader(stream)
    isCompressed = stream.isCompressed
  }

  /// The next sample, nil after the last.
  ///
  /// - Throws: `truncated`, `badHeader`, `badFrame`, `memberTooLarge` or `file`.
  public func next() throws(ShardError) -> TarSample? {
    while !isFinished {
      guard let member = try reader.next() else {
        isFinished = true
        // A damaged end of a compressed file shows only there.
        if isCompressed { try stream.skipToEnd() }
        return collector.finish().map(take)
      }
      guard let (key, suffix) = SampleGrouping.split(member.name) else { continue }
      try collector.check(member, key: key, suffix: suffix, in: path)
      let isText = suffix == "txt" || suffix == "json"
      let isPicture = SampleGrouping.imageExtensions.contains(suffix)
      let payload = Payload(
        member: member,
        data: isText || (isPicture && isCompressed) ? try reader.data(of: member) : [],
        frame: member.frame)
      if let sample = collector.add(key: key, suffix: suffix, payload) { return take(sample) }
    }
    return nil
  }

  /// The picture of the sample that ``next()`` has just given.
  public func data(of picture: TarSample.Picture) throws(ShardError) -> [UInt8] {
    if let held = self.picture, held.offset == picture.offset { return held.data }
    var reader = TarMemberReader()
    return try reader.read(
      path, offset: picture.offset, count: picture.length, from: picture.frame)
  }

  private func take(_ sample: SampleGrouping.Collector<Payload>.Sample) -> TarSample {
    var result = TarSample(key: sample.key)
    picture = nil
    for (suffix, payload) in sample.members {
      switch suffix {
      case "txt": result.text = payload.data
      case "json": result.metadata = payload.data
      case _ where result.picture == nil && SampleGrouping.imageExtensions.contains(suffix):
        let member = payload.member
        result.picture = TarSample.Picture(
          offset: member.dataOffset, length: member.size, frame: payload.frame)
        if isCompressed { picture = (member.dataOffset, payload.data) }
      default: break
      }
    }
    return result
  }
}

/// Reads members of tars by their place, one after the other.
///
/// Of a compressed tar it goes on where it stands when the next place lies ahead, so that members in
/// their order cost one pass.
public struct TarMemberReader {
  private var stream: TarByteStream?

  public init() {}

  /// The `count` bytes at `offset` of the tar at `path`.
  ///
  /// - Parameters:
  ///   - path: A tar, plain or compressed.
  ///   - offset: Bytes into the tar, decompressed.
  ///   - count: Bytes; at most 256 MiB.
  ///   - frame: The frame of a compressed tar in which they begin; nil is the file's start.
  /// - Returns: The bytes.
  /// - Throws: `truncated` where the tar ends early, `memberTooLarge`, `badFrame` or `file`.
  public mutating func read(
    _ path: String, offset: Int, count: Int, from frame: TarFrame?
  ) throws(ShardError) -> [UInt8] {
    guard count <= TarReader.maxMember else {
      throw ShardError(
        .memberTooLarge(name: "at \(offset)", bytes: count, limit: TarReader.maxMember),
        shard: path, offset: offset)
    }
    let place = frame?.tarOffset ?? 0
    let source: TarByteStream
    if let open = stream, open.path == path, open.position <= offset, open.position >= place {
      source = open
    } else {
      source = try TarByteStream(path: path, from: frame)
      stream = source
    }
    do throws(ShardError) {
      try source.skip(offset - source.position)
      return try source.read(count)
    } catch {
      stream = nil
      throw error
    }
  }
}
