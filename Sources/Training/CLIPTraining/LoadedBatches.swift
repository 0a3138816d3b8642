import BatchLoading
import Collectives
import DistributedTraining
import FoundationEssentials

/// The loader's batches as the trainer takes them, and the record of the pairs that were replaced.
final class LoadedBatches: BatchStream {
  private let reader: SampleReader
  private let folder: String
  private var loader: BatchLoader?
  private var log: ReplacementLog?
  private var step = 0
  /// Pairs of this rank told before.
  private var told: Set<Int> = []
  private var untold: [Told] = []

  /// What one rank tells rank 0 of a pair.
  private struct Told: Codable {
    var step: Int
    var index: Int
    var by: Int
    var why: String
  }

  /// Bytes of a reason that are told.
  private static let longestReason = 500

  /// - Parameters:
  ///   - reader: Makes the batches.
  ///   - folder: Of the run; rank 0 writes `replaced.jsonl` there.
  init(_ reader: SampleReader, folder: String) {
    self.reader = reader
    self.folder = folder
  }

  func start(at position: Int, group: ProcessGroup) throws {
    step = position / reader.options.globalBatch
    if group.rank == 0 {
      log = try ReplacementLog(path: folder + "/replaced.jsonl", keepingUpTo: step)
    }
    loader = BatchLoader(
      reader: reader, position: position, rank: group.rank, worldSize: group.worldSize)
  }

  func next() throws -> (batch: PairBatch, replaced: Int) {
    guard let loader else { preconditionFailure("next() before start(at:group:)") }
    let batch = try loader.next()
    step += 1
    for pair in batch.replaced where told.insert(pair.index).inserted {
      untold.append(
        Told(
          step: step, index: pair.index, by: pair.by,
          why: String(decoding: pair.reason.utf8.prefix(Self.longestReason), as: UTF8.self)))
    }
    return (batch, batch.replaced.count)
  }

  /// Brings what the ranks have to tell into rank 0's file.
  func settle(in group: ProcessGroup) throws {
    let mine = untold.isEmpty ? [] : [UInt8](try JSONEncoder().encode(untold))
    untold = []
    let all = try group.allGather(bytes: mine)
    guard let log else { return }
    let lines = try all.filter { !$0.isEmpty }.flatMap {
      try JSONDecoder().decode([Told].self, from: Data($0))
    }
    // By step; within one, ranks are slices of the batch in its order.
    let sorted = lines.enumerated().sorted {
      ($0.element.step, $0.offset) < ($1.element.step, $1.offset)
    }
    try log.append(
      sorted.map { _, line in
        ReplacementLine(
          step: line.step, source: reader.source.part(of: line.index).source.path,
          key: reader.source.key(at: line.index), why: line.why,
          standIn: reader.source.key(at: line.by))
      })
  }

  func stop() { loader?.stop() }
}
