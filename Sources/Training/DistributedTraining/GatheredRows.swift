public import Autograd
public import Collectives
import Synchronization
import TensorEngine

/// The rows of all ranks as one variable: gradients that other ranks have for own rows come back to them.
///
/// Forward is one all-gather, backward one all-reduce of the whole gradient, of which the own rows are kept: the
/// sum over ranks of ∂L_r/∂x for a loss L = Σ_r L_r that each rank computes a share of. All ranks run the same graph,
/// so that they meet in both.
///
/// - Source: open_clip's `gather_with_grad`; torch's `distributed.nn.functional.all_gather`.
public struct GatheredRows {
  /// `[N, …]`: the rows of rank 0, then of rank 1, and so on.
  public let value: Variable
  /// Where the own rows begin.
  public let first: Int
  private let failure = Failure()

  /// What a backward rule, which cannot throw, met.
  private final class Failure: Sendable {
    let error = Mutex<CollectiveError?>(nil)
  }

  /// - Parameters:
  ///   - x: `[B, …]`; B may differ between ranks.
  ///   - group: The ranks.
  /// - Throws: ``CollectiveError``.
  public init(_ x: Variable, in group: ProcessGroup) throws(CollectiveError) {
    guard group.worldSize > 1 else {
      (value, first) = (x, 0)
      return
    }
    let inner = Array(x.shape.dropFirst())
    let size = max(1, inner.reduce(1, *))
    var (all, start): ([Float], Int) = ([], 0)
    for (rank, part) in try group.allGather(x.value.values).enumerated() {
      if rank == group.rank { start = all.count / size }
      all += part
    }
    first = start
    let (rows, failure) = (x.shape[0], failure)
    value = Variable(result: Tensor(shape: [all.count / size] + inner, all), of: [x]) {
      [target = x.target] dy in
      var sum = dy.values
      do throws(CollectiveError) {
        try group.allReduceSum(&sum)
      } catch {
        failure.error.withLock { $0 = $0 ?? error }
        return
      }
      target.accumulate(
        Tensor(shape: dy.shape, sum).slice(axis: 0, start..<start + rows))
    }
  }

  /// To be called after the backward pass.
  ///
  /// - Throws: What kept the gradient from its rows.
  public func check() throws(CollectiveError) {
    if let error = failure.error.withLock({ $0 }) { throw error }
  }
}
