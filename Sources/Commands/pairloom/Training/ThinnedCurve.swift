/// A quantity over steps in a bounded number of buckets, each with its least, mean and greatest value.
///
/// Values come in the order of steps. When all buckets are full, neighbours are joined: the curve of any number of
/// steps takes the same room, and shows every spike.
package struct ThinnedCurve: Sendable, Equatable {
  package struct Bucket: Sendable, Equatable {
    /// The mean of its steps.
    package var step: Double { steps / Double(count) }
    package var mean: Double { sum / Double(count) }
    package var least: Double
    package var greatest: Double
    fileprivate var steps: Double
    fileprivate var sum: Double
    fileprivate(set) var count: Int
  }

  /// Buckets at most; even.
  let limit: Int
  package private(set) var buckets: [Bucket] = []
  /// Values in a full bucket.
  private var capacity = 1
  private(set) var last: (step: Int, value: Double)?

  package init(limit: Int = 500) {
    precondition(limit > 0 && limit % 2 == 0, "a curve of \(limit) buckets")
    self.limit = limit
  }

  package static func == (one: ThinnedCurve, other: ThinnedCurve) -> Bool {
    one.limit == other.limit && one.buckets == other.buckets
  }

  /// Adds a value; what is no number is left out.
  package mutating func add(step: Int, _ value: Double) {
    guard value.isFinite else { return }
    last = (step, value)
    if let end = buckets.indices.last, buckets[end].count < capacity {
      buckets[end].steps += Double(step)
      buckets[end].sum += value
      buckets[end].count += 1
      buckets[end].least = min(buckets[end].least, value)
      buckets[end].greatest = max(buckets[end].greatest, value)
      return
    }
    if buckets.count == limit {
      buckets = stride(from: 0, to: limit, by: 2).map { index in
        let (one, other) = (buckets[index], buckets[index + 1])
        return Bucket(
          least: min(one.least, other.least), greatest: max(one.greatest, other.greatest),
          steps: one.steps + other.steps, sum: one.sum + other.sum, count: one.count + other.count)
      }
      capacity *= 2
    }
    buckets.append(
      Bucket(least: value, greatest: value, steps: Double(step), sum: value, count: 1))
  }
}
