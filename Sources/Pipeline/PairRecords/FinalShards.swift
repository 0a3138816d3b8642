import DurableFiles
import FilterStage
import PairDataset
import ParquetFile
import PipelineCore
import Synchronization
import WorkerThreads

/// Where kept pairs are in the shards that `dataset.json` lists.
///
/// Filtered shards are dense: the kept pairs of all chunks one after another, cut at a bound. So a
/// pair's place follows from the number of pairs before it, and no table of places is kept. Memory: a
/// number for each chunk and each shard.
struct FinalShards: Sendable {
  /// The lowest score that the filter kept, and the highest that it dropped.
  struct Scores: Sendable, Equatable {
    var lowestKept: Double?
    var highestDropped: Double?
  }

  /// As the manifest lists them; none before it is written.
  private let listed: [ShardSummary]
  /// Whether they are the filter's, and not the chunks' own.
  private let isPacked: Bool
  /// The number of a chunk's first kept pair among all, where shards are packed.
  private var firstKept: [Int: Int] = [:]
  /// The pairs up to the end of each listed shard.
  private var ends: [Int] = []
  /// Where chunks' own shards are listed, by their file.
  private var numbers: [String: Int] = [:]
  private(set) var scores = Scores()

  /// - Parameters:
  ///   - run: The run.
  ///   - threads: Tables that are read at a time.
  /// - Throws: What manifest, ledger or a table lacks.
  init(_ run: RunRecords, threads: Int = Parallel.coreCount) async throws {
    listed =
      DurableFile.exists(run.folder.dataset)
      ? try DatasetManifest.read(run.folder.dataset).shards : []
    isPacked = listed.first?.file.hasPrefix("filtered/") ?? false
    var sum = 0
    for (number, shard) in listed.enumerated() {
      sum += shard.pairs
      ends.append(sum)
      numbers[shard.file] = number
    }
    guard isPacked else { return }
    let chunks = run.filteredChunks
    let counts = try await Self.count(chunks, of: run, threads: threads)
    scores = counts.scores
    var shards = 0
    for job in run.filterJobs {
      var next = shards == 0 ? 0 : ends[min(shards, ends.count) - 1]
      for chunk in chunks where run.filterJob(of: chunk) == job {
        firstKept[chunk] = next
        next += counts.kept[chunk] ?? 0
      }
      shards += try await run.report(.filter, job)?.facts[FilterStage.shardsFact] ?? 0
    }
  }

  /// The listed shard that holds a pair, and the pair's number in it; nil for a pair that is in none.
  func place(of record: PairRecord) -> (shard: ShardSummary, number: Int)? {
    guard record.fate == .kept else { return nil }
    guard isPacked else {
      for compression in ShardCompression.allCases {
        let file = "shards/\(RunFolder.digits(record.chunk)).\(compression.fileExtension)"
        if let number = numbers[file] {
          return record.numberInShard.map { (listed[number], $0) }
        }
      }
      return nil
    }
    guard let first = firstKept[record.chunk], let number = record.numberKept else { return nil }
    let place = first + number
    var (low, high) = (0, ends.count)
    while low < high {
      let middle = (low + high) / 2
      if ends[middle] <= place { low = middle + 1 } else { high = middle }
    }
    guard low < ends.count else { return nil }
    return (listed[low], place - (low == 0 ? 0 : ends[low - 1]))
  }

  private struct Counts: Sendable {
    var kept: [Int: Int] = [:]
    var scores = Scores()
  }

  /// The pairs that the filter kept of each chunk.
  private static func count(_ chunks: [Int], of run: RunRecords, threads: Int) async throws
    -> Counts
  {
    var counts = Counts()
    var judged: [Int] = []
    for chunk in chunks {
      if DurableFile.exists(run.folder.filterTable(chunk)) {
        judged.append(chunk)
      } else {
        counts.kept[chunk] = try await run.report(.shard, chunk)?.shard?.pairs ?? 0
      }
    }
    let (some, start) = (judged, counts)
    return try await Parallel.detached {
      let shared = Mutex<Result<Counts, any Error>>(.success(start))
      Parallel.forEach(some.count, threads: threads) { index in
        let read = Result { try judgements(run.folder.filterTable(some[index])) }
        shared.withLock { shared in
          guard case .success(var counts) = shared else { return }
          shared = read.map { kept, scores in
            counts.kept[some[index]] = kept
            counts.scores.lowestKept = [counts.scores.lowestKept, scores.lowestKept]
              .compactMap { $0 }.min()
            counts.scores.highestDropped = [counts.scores.highestDropped, scores.highestDropped]
              .compactMap { $0 }.max()
            return counts
          }
        }
      }
      return try shared.withLock { $0 }.get()
    }
  }

  private static func judgements(_ path: String) throws -> (kept: Int, scores: Scores) {
    var (kept, scores) = (0, Scores())
    let batches = try ParquetReader(path: path).batches(
      columns: ["drop", "score"], rowsPerBatch: 4_096)
    while let batch = try batches.next() {
      for (drop, value) in zip(batch.values[0], batch.values[1]) {
        var score: Double?
        if case .double(let number) = value { score = number }
        if drop == .null {
          kept += 1
          scores.lowestKept = [scores.lowestKept, score].compactMap { $0 }.min()
        } else {
          scores.highestDropped = [scores.highestDropped, score].compactMap { $0 }.max()
        }
      }
    }
    return (kept, scores)
  }
}
