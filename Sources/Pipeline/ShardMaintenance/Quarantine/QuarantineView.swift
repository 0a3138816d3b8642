import DurableFiles
public import JobLedger
public import PipelineCore

/// A look at the jobs that a run has given up.
public struct QuarantineView: Sendable {
  /// By chunk and stage.
  public let jobs: [QuarantinedJob]
  private let folder: RunFolder
  private let ledger: any Ledger

  /// - Parameter folder: Of the run; a process may be working on it.
  /// - Throws: `NoRunError`, `LedgerError`.
  public init(_ folder: RunFolder) async throws {
    self.folder = folder
    ledger = try await RunFacts.ledger(of: folder)
    jobs = try await ledger.quarantine()
  }

  /// Those that were given up for their own errors.
  public var causes: [QuarantinedJob] { jobs.filter(\.wants.isEmpty) }

  /// Those that were given up for want of `job`, in turn.
  public func wanting(_ job: JobName) -> [JobName] {
    var found: [JobName] = []
    var names: Set<JobName> = [job]
    // A job comes after those that it needs.
    for other in jobs where !names.isDisjoint(with: other.wants) {
      names.insert(other.name)
      found.append(other.name)
    }
    return found
  }

  /// Every attempt at a job.
  public func attempts(at job: JobName) async throws -> [JobAttempt] {
    try await ledger.history(of: job)
  }

  /// The files that there are of a chunk.
  ///
  /// - Returns: Paths relative to the run's folder, and sizes.
  public func files(of chunk: Int) throws -> [(path: String, bytes: Int)] {
    try RunFile.all(in: folder).filter { file in
      // A final shard's number is no chunk's.
      file.folder != "filtered" && file.kind == .known(number: chunk)
    }.map { ($0.path, try DurableFile.size(of: "\(folder.path)/\($0.path)")) }
  }

  /// The rows of the list that a chunk holds.
  public struct Rows: Sendable, Equatable {
    /// Lines of its table.
    public var count: Int
    /// The lowest and the highest row; nil where a line cannot be read.
    public var range: ClosedRange<Int>?
    /// Those that ingest has dropped already.
    public var dropped: Int
  }

  /// What a job would have worked on; nil where the chunk's table cannot be read at all.
  ///
  /// Nothing for jobs of the whole run: ingest and filter.
  public func rows(of job: JobName) -> Rows? {
    guard ![StageName.ingest.rawValue, StageName.filter.rawValue].contains(job.stage),
      // The command says so; what is wrong with the file is told by the job's error.
      let bytes = try? DurableFile.read(folder.chunkTable(job.chunk))
    else { return nil }
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    let rows = lines.compactMap { line in
      (try? JSONValue.parse(Array(line))).flatMap(PairCandidate.init)
    }
    let numbers = rows.map(\.row)
    let range = numbers.min().flatMap { low in numbers.max().map { low...$0 } }
    return Rows(
      count: lines.count, range: rows.count == lines.count ? range : nil,
      dropped: rows.count { $0.drop != nil })
  }
}
