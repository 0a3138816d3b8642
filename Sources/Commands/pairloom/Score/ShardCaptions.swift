import PairDataset

/// Captions of shards, to judge whether a model knows their kind.
enum ShardCaptions {
  /// Up to 256 captions of the first shard that can be read and has some; the others are judged when their turn
  /// comes.
  static func first(of paths: [String]) throws -> [String] {
    for path in paths {
      do throws(ShardError) {
        let shard = try ShardReader(path: path)
        var captions: [String] = []
        for index in 0..<min(256, shard.count) {
          let pair = try shard.pair(at: index)
          if pair.hasText { captions.append(pair.caption) }
        }
        if !captions.isEmpty { return captions }
      } catch { continue }
    }
    return []
  }
}
