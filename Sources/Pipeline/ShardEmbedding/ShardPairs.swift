import PairDataset

/// The pairs of chunks, read from their shards; one shard is open at a time.
struct ShardPairs {
  struct Source {
    var pair: Pair
    /// The name of its shard.
    var shard: String
  }

  private let plan: EmbeddingPlan
  private var open: (number: Int, reader: ShardReader)?

  init(plan: EmbeddingPlan) { self.plan = plan }

  mutating func pairs(of chunk: Int) throws -> [Source] {
    var pairs: [Source] = []
    for (number, range) in plan.places(of: chunk) {
      let reader: ShardReader
      if let open, open.number == number {
        reader = open.reader
      } else {
        reader = try ShardReader(path: plan.shards[number])
        open = (number, reader)
      }
      guard reader.count == plan.pairs[number] else {
        throw ShardEmbeddingError.changed(shard: plan.shards[number])
      }
      let name = plan.shardName(number)
      for index in range { pairs.append(Source(pair: try reader.pair(at: index), shard: name)) }
    }
    return pairs
  }
}
