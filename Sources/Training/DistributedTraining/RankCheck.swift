import Autograd
import Collectives
import TensorEngine

/// Compares the parameters of all ranks, which the same sums and the same arithmetic keep equal to the bit.
///
/// A difference means a broken memory, processors that compute differently, or another program on one of the hosts:
/// from there on the run is nobody's. Costs one pass over the parameters, and 16 bytes to each rank.
struct RankCheck {
  private let group: ProcessGroup
  private let parameters: [(name: String, variable: Variable)]
  /// The last step after which all were equal.
  private(set) var lastAgreed: Int

  init(_ parameters: [(name: String, variable: Variable)], in group: ProcessGroup, from step: Int) {
    self.parameters = parameters
    self.group = group
    lastAgreed = step
  }

  /// Compares after a step; all ranks call it.
  ///
  /// - Throws: ``RanksDiverged`` on every rank, without the checkpoint.
  mutating func verify(step: Int) throws {
    guard group.worldSize > 1, step != lastAgreed else { return }
    let hashes = parameters.map { $0.variable.value.bitHash() }
    // Each hash enters with its place, so that no two can change places.
    let whole = hashes.enumerated().reduce(UInt64(0)) { sum, hash in
      (sum &* 0x9E37_79B9_7F4A_7C15) ^ hash.element &+ UInt64(hash.offset)
    }
    let all = try group.allGather([whole])
    guard Set(all).count > 1 else {
      lastAgreed = step
      return
    }
    throw try difference(hashes, step)
  }

  private func difference(_ own: [UInt64], _ step: Int) throws(CollectiveError) -> RanksDiverged {
    let all = try group.allGather(own)
    let index = own.indices.first { index in Set(all.map { $0[index] }).count > 1 } ?? 0
    let counts = Dictionary(grouping: all.indices) { all[$0][index] }
    let largest = counts.values.map(\.count).max() ?? 0
    let majorities = counts.values.filter { $0.count == largest }
    // Of two ranks, or two halves, nobody can tell which is right.
    let strays =
      majorities.count == 1
      ? all.indices.filter { !majorities[0].contains($0) } : Array(all.indices)
    return RanksDiverged(
      step: step, lastAgreed: lastAgreed, ranks: strays, hasMajority: majorities.count == 1,
      parameter: parameters.isEmpty ? "" : parameters[index].name)
  }
}

/// The parameters of the ranks are no longer the same.
public struct RanksDiverged: Error, Equatable, Sendable, CustomStringConvertible {
  /// The step after which it was seen.
  public var step: Int
  /// The last step after which all ranks had the same.
  public var lastAgreed: Int
  /// Those that differ from most; all where there is no majority.
  public var ranks: [Int]
  public var hasMajority: Bool
  /// The first parameter that differs.
  public var parameter: String
  /// The newest checkpoint, which is older.
  public var checkpoint: String?

  public var description: String {
    let who = ranks.map(String.init).joined(separator: ", ")
    let what =
      hasMajority
      ? "the parameters of rank \(who) differ from those of the other ranks"
      : "the parameters of ranks \(who) differ, and none is in the majority"
    return "step \(step): \(what), first in \(parameter); after step \(lastAgreed) all were equal. "
      + "Bad memory, unlike processors or another program on one of the hosts do this. "
      + (checkpoint.map { "The last checkpoint before it is \($0): run" } ?? "Run")
      + " the same command again, without that host where it happens twice."
  }
}
