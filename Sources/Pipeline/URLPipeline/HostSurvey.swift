import DurableFiles
public import JobLedger
import ParquetFile
public import PipelineCore

/// Which hosts a run fails at, from a bounded look into its tables of fetches.
///
/// A run of any size is looked at in a fraction of a second: where it has more rows than ``mostRows``,
/// finished chunks at equal distances stand for all. A row that was asked for again counts as its newest
/// chunk among those that were read tells.
public struct HostSurvey: Codable, Sendable, Equatable {
  public struct Host: Codable, Sendable, Equatable {
    public var name: String
    /// Rows of the host that were looked at.
    public var rows: Int
    /// Those among them that brought no body.
    public var failed: Int
    /// Those among the failed whose failure passes by itself.
    public var transient: Int
    /// The commonest reason, as in `pairloom status`.
    public var reason: String

    /// Failed rows of all rows.
    public var share: Double { Double(failed) / Double(max(1, rows)) }
  }

  /// Rows that were looked at.
  public var rows = 0
  /// Tables that were read.
  public var chunks = 0
  /// Chunks that there are, finished or not.
  public var chunksOfRun = 0
  /// Different hosts among the rows.
  public var hosts = 0
  /// Those with the most failures, most first.
  public var mostFailures: [Host] = []
  /// Those of at least ``fewestRows`` rows with the largest share of failures, largest first.
  public var largestShare: [Host] = []
  /// Failures that pass by themselves, at hosts that brought other bodies: a retry may well heal them.
  public var transientAtLiveHosts = 0
  /// Failures that pass by themselves, at hosts that brought nothing: a retry heals few.
  public var transientAtSilentHosts = 0

  /// Whether every chunk was looked at.
  public var isComplete: Bool { chunks == chunksOfRun }

  /// Rows after which nothing further is read.
  public static let mostRows = 20_000
  /// A share of fewer rows says little.
  public static let fewestRows = 5
  private static let listed = 5
  /// Chunks that may be finished behind one that is not begun.
  private static let outOfOrder = 64
  /// Chunks that are asked for one by one, at equal distances.
  private static let mostProbes = 250

  public init() {}

  /// Looks at the run in `folder`; a process may be working on it.
  ///
  /// - Throws: `LedgerError`, or what a table lacks.
  public init(_ folder: RunFolder, ledger: any Ledger) async throws {
    guard let last = try await ledger.lastChunk(stage: StageName.download.rawValue) else { return }
    chunksOfRun = last + 1
    let states = try await ledger.tally()[StageName.download.rawValue] ?? [:]
    // Downloads are claimed in order, so what has begun is, but for a few, at the start.
    let begun = states.filter { ![.waiting, .available].contains($0.key) }.map(\.value)
    let reach = min(last + 1, begun.reduce(0, +) + Self.outOfOrder)
    var finished: [(chunk: Int, attempt: Int)] = []
    for chunk in stride(from: 0, to: reach, by: max(1, reach / Self.mostProbes)) {
      let name = JobName(stage: StageName.download.rawValue, chunk: chunk)
      guard let counts = try await ledger.counts(of: name),
        let attempt = try StageReport.decoded(counts, of: name, in: ledger)
          .facts[StageReport.attemptFact]
      else { continue }
      finished.append((chunk, attempt))
    }
    var rows: [Int: Outcome] = [:]
    var step = 1
    var index = 0
    while index < finished.count && rows.count < Self.mostRows {
      let table = folder.fetchedTable(finished[index].chunk, attempt: finished[index].attempt)
      if DurableFile.exists(table) {
        try Self.read(table, into: &rows)
        chunks += 1
        // The first table tells how many of its size there is time for.
        if chunks == 1, !rows.isEmpty {
          let most = max(1, Self.mostRows / rows.count)
          step = max(1, (finished.count + most - 1) / most)
        }
      }
      index += step
    }
    self.rows = rows.count
    rank(rows.values)
  }

  private struct Outcome {
    var host: String
    /// Why there is no body; nil where there is one.
    var reason: String?
    var isTransient: Bool
  }

  /// Reads what is needed of a table, a quarter of its columns.
  private static func read(_ path: String, into rows: inout [Int: Outcome]) throws {
    let reader = try ParquetReader(path: path)
    let batches = try reader.batches(
      columns: ["row", "drop", "class", "final_url"], rowsPerBatch: 4_096)
    while rows.count < mostRows, let batch = try batches.next() {
      for index in 0..<batch.rowCount {
        guard case .int(let row) = batch.values[0][index],
          case .text(let url) = batch.values[3][index]  // none for a picture of a shard
        else { continue }
        var outcome = Outcome(
          host: NormalizedURL.host(ofNormalized: url) ?? url, isTransient: false)
        if case .text(let reason) = batch.values[1][index] { outcome.reason = reason }
        if case .text("transient") = batch.values[2][index] { outcome.isTransient = true }
        rows[Int(row)] = outcome
      }
    }
  }

  private mutating func rank(_ outcomes: Dictionary<Int, Outcome>.Values) {
    struct Sums {
      var rows = 0
      var transient = 0
      var reasons: [String: Int] = [:]
    }
    var sums: [String: Sums] = [:]
    for outcome in outcomes {
      sums[outcome.host, default: Sums()].rows += 1
      guard let reason = outcome.reason else { continue }
      sums[outcome.host, default: Sums()].reasons[reason, default: 0] += 1
      if outcome.isTransient { sums[outcome.host, default: Sums()].transient += 1 }
    }
    hosts = sums.count
    let failing = sums.compactMap { name, sums -> Host? in
      let worst = sums.reasons.max { ($0.value, $1.key) < ($1.value, $0.key) }
      guard let worst else { return nil }
      return Host(
        name: name, rows: sums.rows, failed: sums.reasons.values.reduce(0, +),
        transient: sums.transient, reason: worst.key)
    }
    for host in failing {
      if host.failed < host.rows {
        transientAtLiveHosts += host.transient
      } else {
        transientAtSilentHosts += host.transient
      }
    }
    mostFailures = Array(
      failing.sorted { ($1.failed, $0.name) < ($0.failed, $1.name) }.prefix(Self.listed))
    largestShare = Array(
      failing.filter { $0.rows >= Self.fewestRows }
        .sorted { ($1.share, $1.failed, $0.name) < ($0.share, $0.failed, $1.name) }
        .prefix(Self.listed))
  }
}
