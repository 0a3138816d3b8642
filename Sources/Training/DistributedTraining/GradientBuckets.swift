import Autograd
import Collectives
import TensorEngine

/// Gradients laid end to end in arenas that cross the wire as one buffer each.
///
/// Buckets are filled in reverse order of the parameters, which is about the order in which
/// gradients become ready, and cut by size alone: results never depend on timing. Loss and scalars
/// travel at the end of the last one.
struct GradientBuckets {
  private var buckets: [[Int]] = []
  private let parameters: [(name: String, variable: Variable)]
  private var arena: [Float] = []

  /// A bucket is closed once it holds `bucketFloats` or more.
  init(_ parameters: [(name: String, variable: Variable)], bucketFloats: Int = 1 << 20) {
    self.parameters = parameters
    var current: [Int] = []
    var size = 0
    for index in parameters.indices.reversed() {
      current.append(index)
      size += parameters[index].variable.value.count
      if size >= bucketFloats {
        buckets.append(current)
        (current, size) = ([], 0)
      }
    }
    buckets.append(current)
  }

  /// Sums all gradients and `scalars` over the ranks; a parameter without a gradient counts as zero.
  mutating func allReduce(_ scalars: inout [Float], in group: ProcessGroup)
    throws(CollectiveError)
  {
    if group.worldSize == 1 {
      for (_, variable) in parameters where variable.gradient == nil {
        variable.gradient = Tensor(shape: variable.value.shape)
      }
      return
    }
    for (number, bucket) in buckets.enumerated() {
      let isLast = number == buckets.count - 1
      arena.removeAll(keepingCapacity: true)
      for index in bucket { append(parameters[index].variable) }
      if isLast { arena += scalars }
      try group.allReduceSum(&arena)
      var start = 0
      for index in bucket { start = take(parameters[index].variable, at: start) }
      if isLast { scalars = Array(arena[start...]) }
    }
  }

  private mutating func append(_ variable: Variable) {
    guard let gradient = variable.gradient else {
      arena.append(contentsOf: repeatElement(0, count: variable.value.count))
      return
    }
    arena += gradient.values
  }

  /// Puts the summed gradient back; gives where the next one starts.
  private func take(_ variable: Variable, at start: Int) -> Int {
    let end = start + variable.value.count
    variable.gradient = Tensor(shape: variable.value.shape, Array(arena[start..<end]))
    return end
  }
}
