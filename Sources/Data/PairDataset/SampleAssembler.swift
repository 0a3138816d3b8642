import Compression

/// Makes samples of the members of a tar, reading only the data that is asked for.
struct SampleAssembler {
  typealias Sample = SampleGrouping.Collector<[UInt8]>.Sample

  /// The most bytes that the members of one sample may have together, 512 MiB.
  static let maxSample = 1 << 29

  private let readsAll: Bool
  private let path: String
  private var collector = SampleGrouping.Collector<[UInt8]>()
  /// Of the sample that is open.
  private var bytes = 0

  /// - Parameters:
  ///   - readsAll: Whether every member's data is read, or only what a ``Pair`` holds.
  ///   - path: Of the shard, for errors.
  init(readsAll: Bool, path: String) {
    self.readsAll = readsAll
    self.path = path
  }

  /// Takes the member that `reader` has just given; gives the sample that it shows to be complete.
  ///
  /// Samples without a picture are passed over.
  mutating func add(_ member: TarReader.Member, from reader: TarReader) throws(ShardError)
    -> Sample?
  {
    guard let (key, suffix) = SampleGrouping.split(member.name) else { return nil }
    try collector.check(member, key: key, suffix: suffix, in: path)
    let isWanted = readsAll || Self.isOfPair(suffix)
    let size = isWanted ? member.size : 0
    bytes = collector.continues(key: key, suffix: suffix) ? bytes + size : size
    guard bytes <= Self.maxSample else {
      throw ShardError(
        .memberTooLarge(name: "\(key) with all its members", bytes: bytes, limit: Self.maxSample),
        shard: path, offset: member.start)
    }
    let data = isWanted ? try reader.data(of: member) : []
    return Self.withPicture(collector.add(key: key, suffix: suffix, data))
  }

  mutating func finish() -> Sample? { Self.withPicture(collector.finish()) }

  private static func withPicture(_ sample: Sample?) -> Sample? {
    guard let sample,
      sample.members.contains(where: { SampleGrouping.imageExtensions.contains($0.suffix) })
    else { return nil }
    return sample
  }

  private static func isOfPair(_ suffix: String) -> Bool {
    switch suffix {
    case "jpg", "txt", "json", "txt.gz", "json.gz", "caption", "text": true
    default: SampleGrouping.imageExtensions.contains(suffix)
    }
  }

  static func shardSample(_ sample: Sample) -> ShardSample {
    ShardSample(
      key: sample.key,
      members: sample.members.map { ShardSample.Member(suffix: $0.suffix, data: $0.payload) })
  }

  /// The pair of a sample; `.txt.gz` and `.json.gz` are unpacked, as webdataset does.
  ///
  /// - Throws: `badFrame` where they do not unpack, or to more than a member may have.
  static func pair(_ sample: Sample, path: String) throws(ShardError) -> Pair? {
    var pair = Pair(key: sample.key, caption: "", image: [], metadata: [], hasText: false)
    var (hasPicture, hasMetadata) = (false, false)
    for (suffix, data) in sample.members {
      switch suffix {
      case "txt", "txt.gz":
        guard !pair.hasText else { continue }
        let text = suffix == "txt" ? data : try unpacked(data, of: sample.key, path: path)
        // Foreign text that is not UTF-8 keeps its readable part.
        pair.caption = String(decoding: text, as: UTF8.self)
        pair.hasText = true
      case "json", "json.gz":
        guard !hasMetadata else { continue }
        pair.metadata = suffix == "json" ? data : try unpacked(data, of: sample.key, path: path)
        hasMetadata = true
      default:
        guard !hasPicture, SampleGrouping.imageExtensions.contains(suffix) else { continue }
        pair.image = data
        pair.imageExtension = suffix
        hasPicture = true
      }
    }
    return hasPicture ? pair : nil
  }

  private static func unpacked(
    _ data: [UInt8], of key: String, path: String
  ) throws(ShardError) -> [UInt8] {
    /// Texts, not pictures: what is longer is a bomb.
    let limit = 16 << 20
    var content: [UInt8] = []
    do throws(CompressionError) {
      let decoder = try GzipDecoder()
      var rest = data[...]
      while true {
        let step = try decoder.decode(rest, room: 1 << 20)
        content += step.content
        rest = rest.dropFirst(step.consumed)
        if content.count > limit { throw CompressionError("it has more than \(limit) bytes") }
        if step.isEnd { return content }
        if step.consumed == 0 && step.content.isEmpty { throw CompressionError("it ends early") }
      }
    } catch {
      throw ShardError(.badFrame("member \(key).*.gz: \(error.words)"), shard: path)
    }
  }
}
