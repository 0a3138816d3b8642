import Autograd
import Collectives
import Optimizers
import TensorEngine

/// Stretches of the gradients' arena that cross the wire as one buffer each, in place.
///
/// Buckets follow the arena's order, which is about the order in which gradients become ready, and are cut by size
/// alone: results never depend on timing.
struct GradientBuckets {
  /// The places of each bucket.
  let buckets: [Range<Int>]
  private let arena: ParameterArena

  /// A bucket is closed once it holds `bucketFloats` or more.
  init(_ arena: ParameterArena, bucketFloats: Int = 1 << 20) {
    self.arena = arena
    var buckets: [Range<Int>] = []
    var first = 0
    for index in arena.parameters.indices {
      let ranges = arena.gradients.ranges
      guard
        index == ranges.count - 1
          || ranges[index].upperBound - ranges[first].lowerBound >= bucketFloats
      else { continue }
      buckets.append(first..<index + 1)
      first = index + 1
    }
    self.buckets = buckets
  }

  /// Sums all gradients and `scalars` over the ranks; a parameter without a gradient counts as zero.
  func allReduce(_ scalars: inout [Float], in group: ProcessGroup) throws(CollectiveError) {
    for (_, variable) in arena.parameters where variable.gradient == nil {
      variable.updateGradient { _ in }
    }
    guard group.worldSize > 1 else { return }
    for bucket in buckets { try allReduce(bucket, in: group) }
    try group.allReduceSum(&scalars)
  }

  /// Sums one bucket over the ranks.
  func allReduce(_ bucket: Range<Int>, in group: ProcessGroup) throws(CollectiveError) {
    let ranges = arena.gradients.ranges
    let floats = ranges[bucket.lowerBound].lowerBound..<ranges[bucket.upperBound - 1].upperBound
    // Not short-circuited: all of them have to move.
    let settled = bucket.map(arena.settleGradient)
    guard settled.contains(false) else {
      try arena.gradients.withMutableSpan(floats) { (span) throws(CollectiveError) in
        try group.allReduceSum(&span)
      }
      return
    }
    // Somebody holds an earlier gradient: the same buffer beside the arena, as other ranks know nothing of it.
    var copy = [Float](repeating: 0, count: floats.count)
    for index in bucket {
      let start = ranges[index].lowerBound - floats.lowerBound
      let values = arena.parameters[index].variable.gradient?.values ?? []
      copy.replaceSubrange(start..<start + values.count, with: values)
    }
    try group.allReduceSum(&copy)
    for index in bucket {
      let start = ranges[index].lowerBound - floats.lowerBound
      let variable = arena.parameters[index].variable
      variable.gradient = Tensor(
        shape: variable.shape, Array(copy[start..<start + ranges[index].count]))
    }
  }
}
