extension ShardReader {
  /// The members of the pair at `index`, held against what the index says of it.
  func members(at index: Int, readsAll: Bool) throws(ShardError) -> SampleAssembler.Sample {
    precondition(
      self.index.entries.indices.contains(index),
      "\(path): pair \(index) of \(self.index.entries.count)")
    let entry = self.index.entries[index]
    let extract = try extract(entry)
    let reader = TarReader(extract.stream, isFragment: true)
    var samples = SampleAssembler(readsAll: readsAll, path: path)
    while let member = try reader.next() {
      // All that stands here is of one sample, and it is the one named.
      if let split = SampleGrouping.split(member.name), split.key != entry.key {
        throw stale(entry)
      }
      if try samples.add(member, from: reader) != nil { throw stale(entry) }
    }
    guard let found = samples.finish() else { throw stale(entry) }
    // A member of it that stands behind the place named would be lost.
    if case .header(let header) = extract.following, header.kind == .file,
      let split = SampleGrouping.split(header.name), split.key == entry.key,
      !found.members.contains(where: { $0.suffix == split.suffix })
    {
      throw stale(entry)
    }
    return found
  }

  /// The tar bytes of a pair's members, and the header behind them where it is at hand.
  private struct Extract {
    var stream: TarByteStream
    var following: TarFormat.Parsed?
  }

  private func extract(_ entry: ShardIndex.Entry) throws(ShardError) -> Extract {
    // Headers, and members that are no part of the sample, come on top of what a sample may have.
    guard entry.length <= 2 * SampleAssembler.maxSample else {
      throw ShardError(
        .memberTooLarge(
          name: "\(entry.key) with all its members", bytes: entry.length,
          limit: 2 * SampleAssembler.maxSample), shard: path, offset: entry.start)
    }
    guard isCompressed else {
      let bytes = try ShardFile(path, bytes: memory).read(
        count: entry.length + TarFormat.blockSize, at: entry.start)
      guard bytes.count >= entry.length else {
        throw ShardError(
          .truncated(needed: entry.length, found: bytes.count), shard: path, offset: entry.start)
      }
      return slice(bytes, 0..<entry.length, entry)
    }
    let number = index.frameNumber(holding: entry.start)
    let frame = index.frames[number]
    let next = number + 1 < index.frames.count ? index.frames[number + 1] : index.end
    let end = entry.start + entry.length
    // Ours are whole in one frame.
    if end <= next.tarOffset, next.tarOffset - frame.tarOffset <= FrameCache.maxFrame {
      let content = try cache.content(
        of: number, for: self.number, in: try ShardFile(path, bytes: memory), from: frame, to: next)
      return slice(content, entry.start - frame.tarOffset..<end - frame.tarOffset, entry)
    }
    let stream = try TarByteStream(
      try ShardFile(path, bytes: memory), from: frame, cuts: index.frames[(number + 1)...])
    try stream.skip(entry.start - frame.tarOffset)
    let bytes = try stream.read(entry.length)
    return slice(bytes, 0..<bytes.count, entry)
  }

  private func slice(
    _ content: [UInt8], _ range: Range<Int>, _ entry: ShardIndex.Entry
  ) -> Extract {
    let isFollowed = content.count - range.upperBound >= TarFormat.blockSize
    return Extract(
      stream: TarByteStream(content, range, at: entry.start, of: path),
      following: isFollowed ? TarFormat.parse(content, at: range.upperBound) : nil)
  }
}
