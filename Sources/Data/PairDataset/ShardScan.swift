/// Finds the pairs of a shard by walking its tar.
enum ShardScan {
  /// The most pairs of one shard, and the most bytes that all their keys have together.
  static let maxPairs = 1 << 22
  private static let maxKeyBytes = 1 << 28

  /// What an index of this shard would say.
  ///
  /// Reads all of it, in memory for the keys and 12 MiB; the checksums of compressed frames are verified.
  ///
  /// - Parameters:
  ///   - source: The shard.
  ///   - noting: Called with each sample in order, those without a picture too.
  /// - Returns: What the index holds.
  /// - Throws: What ``TarReader`` throws; `tooMany`.
  static func index(
    of source: ShardFile,
    noting: (SampleGrouping.Collector<TarReader.Member>.Sample) -> Void = { _ in }
  ) throws(ShardError) -> ShardIndex {
    let stream = try TarByteStream(source)
    let reader = TarReader(stream)
    var collector = SampleGrouping.Collector<TarReader.Member>()
    var entries: [ShardIndex.Entry] = []
    var keyBytes = 0
    func keep(_ sample: SampleGrouping.Collector<TarReader.Member>.Sample?) throws(ShardError) {
      guard let sample, let first = sample.members.first, let last = sample.members.last
      else { return }
      noting(sample)
      guard
        sample.members.contains(where: { SampleGrouping.imageExtensions.contains($0.suffix) })
      else { return }
      keyBytes += sample.key.utf8.count
      guard entries.count < maxPairs, keyBytes <= maxKeyBytes else {
        throw ShardError(
          .tooMany("pairs, or \(maxKeyBytes) bytes of keys", limit: maxPairs), shard: source.path,
          offset: first.payload.start)
      }
      entries.append(
        ShardIndex.Entry(
          key: sample.key, start: first.payload.start,
          length: last.payload.end - first.payload.start))
    }
    while let member = try reader.next() {
      guard let (key, suffix) = SampleGrouping.split(member.name) else { continue }
      try collector.check(member, key: key, suffix: suffix, in: source.path)
      try keep(collector.add(key: key, suffix: suffix, member))
    }
    try keep(collector.finish())
    // Where the last frame ends is known only there.
    try stream.skipToEnd()
    return ShardIndex(
      fileSize: source.size, tarSize: stream.position, frames: stream.frames, entries: entries)
  }
}

extension SampleGrouping.Collector {
  /// Refuses a member that would give its sample more members than one may have.
  func check(
    _ member: TarReader.Member, key: String, suffix: String, in path: String
  ) throws(ShardError) {
    guard openMembers >= SampleGrouping.maxMembers, continues(key: key, suffix: suffix) else {
      return
    }
    throw ShardError(
      .tooMany("members of one sample", limit: SampleGrouping.maxMembers), shard: path,
      offset: member.start)
  }
}
