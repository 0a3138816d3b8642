import Compression

/// A sample of a WebDataset shard with every member that it has, foreign ones too.
public struct ShardSample: Sendable, Equatable {
  /// One file of the sample.
  public struct Member: Sendable, Equatable {
    /// What follows the key and a dot in the name, in lower case as webdataset gives it.
    public var suffix: String
    public var data: [UInt8]

    public init(suffix: String, data: [UInt8]) {
      self.suffix = suffix
      self.data = data
    }
  }

  /// The name before the first dot of its last part.
  ///
  /// It may hold slashes, and is never made a path.
  public var key: String
  /// In the order of the tar; no suffix comes twice.
  public var members: [Member]

  public init(key: String, members: [Member]) {
    self.key = key
    self.members = members
  }

  /// The data of the first member with this suffix.
  public func data(_ suffix: String) -> [UInt8]? {
    members.first { $0.suffix == suffix }?.data
  }

  /// The picture, the first member with an ending of one; nil where there is none.
  public var picture: Member? {
    members.first { SampleGrouping.imageExtensions.contains($0.suffix) }
  }

  /// The pair of the sample, as ``ShardReader/pair(at:)`` gives it.
  ///
  /// - Parameter path: Of the shard, for errors.
  /// - Returns: Nil for a sample without a picture.
  /// - Throws: `badFrame` where `.txt.gz` or `.json.gz` do not unpack.
  public func pair(of path: String) throws(ShardError) -> Pair? {
    try SampleAssembler.pair(
      SampleAssembler.Sample(key: key, members: members.map { ($0.suffix, $0.data) }), path: path)
  }
}

extension Pair {
  /// The members of this pair, in the order in which they are written: picture, JSON, text.
  public var sample: ShardSample {
    var members = [
      ShardSample.Member(suffix: imageExtension, data: image),
      ShardSample.Member(suffix: "json", data: metadata),
    ]
    if hasText { members.append(ShardSample.Member(suffix: "txt", data: Array(caption.utf8))) }
    return ShardSample(key: key, members: members)
  }
}
