public import DurableFiles
import Glibc

/// The files of a run, by what they hold.
///
/// See the architecture's "A run's folder".
public struct RunFolder: Sendable, Equatable {
  public let path: String

  public init(_ path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  public var ledger: String { "\(path)/ledger.sqlite" }
  /// What only the ledger knows and no other file tells, should the ledger be lost.
  public var record: String { "\(path)/run.json" }
  public var rejects: String { "\(path)/rejects.parquet" }
  /// The pace that all processes of the run keep towards each host.
  public var rates: String { "\(path)/rates.map" }
  /// How many transfers all processes of the run have open at each host, and which hosts are dead.
  public var hosts: String { "\(path)/hosts.map" }
  /// What the origins' robots.txt and the like said, and when.
  public var origins: String { "\(path)/origins.sqlite" }
  /// What `pairloom forget` has taken out, and must not come back.
  public var forgotten: String { "\(path)/forgotten.jsonl" }
  public var dataset: String { "\(path)/dataset.json" }
  public var shards: String { "\(path)/shards" }
  public var filtered: String { "\(path)/filtered" }
  public func chunkTable(_ chunk: Int) -> String { "\(path)/chunks/\(Self.digits(chunk)).jsonl" }
  /// The columns that the list's rows carry: an array of `{"name", "type"}`.
  public var chunkColumns: String { "\(path)/chunks/columns.json" }
  /// The files of the list and the rows that each gave: an array of objects.
  public var chunkFiles: String { "\(path)/chunks/files.json" }
  /// The report of a retry's first job: which chunks are its own, and what of it was asked for again.
  public func retryReport(_ generation: Int) -> String { "\(path)/chunks/retry-\(generation).json" }
  /// What came of a chunk's downloads.
  ///
  /// Named by attempt, like the bodies: two attempts may receive different bytes, and a late one must
  /// not replace what a later stage reads. The ledger knows which attempt completed.
  public func fetchedTable(_ chunk: Int, attempt: Int) -> String {
    "\(path)/fetched/\(Self.digits(chunk)).\(attempt).parquet"
  }
  /// The bodies of a chunk, end to end.
  public func fetchedBytes(_ chunk: Int, attempt: Int) -> String {
    "\(path)/fetched/\(Self.digits(chunk)).\(attempt).bytes"
  }
  public func decodedTable(_ chunk: Int) -> String {
    "\(path)/decoded/\(Self.digits(chunk)).parquet"
  }
  public func decodedBytes(_ chunk: Int) -> String { "\(path)/decoded/\(Self.digits(chunk)).bytes" }
  /// Where the verdicts of deduplication are.
  public var verdicts: String { "\(path)/deduplicated" }
  public func verdictTable(_ chunk: Int) -> String {
    "\(path)/deduplicated/\(Self.digits(chunk)).parquet"
  }
  /// The indexes that deduplication goes by, and its plans: all of it can be made again.
  public var duplicates: String { "\(path)/duplicates" }
  /// Where a process keeps its own indexes while another, which may be stopped, has those of the run.
  public func spareIndexes(of process: Int32) -> String { "\(duplicates)/\(Self.spare)\(process)" }
  private static let spare = "spare-"

  /// Whether a name in ``duplicates`` is that of a process's own indexes.
  public static func isSpareIndexes(_ name: String) -> Bool {
    name.hasPrefix(spare) && Int32(name.dropFirst(spare.count)) != nil
  }

  /// The folders of indexes of processes that are gone, by their paths.
  public func abandonedIndexes() throws(FileError) -> [String] {
    try Self.names(in: duplicates).filter { name in
      guard Self.isSpareIndexes(name), let process = Int32(name.dropFirst(Self.spare.count))
      else { return false }
      return process != getpid() && kill(process, 0) != 0 && errno == ESRCH
    }.map { "\(duplicates)/\($0)" }
  }

  /// Dropped pictures, small, for a person to look at.
  public var duplicateSamples: String { "\(duplicates)/samples" }
  /// The page that tells of the run.
  public var report: String { "\(path)/report.html" }
  /// What a chunk is to be judged by where every picture had to be there first.
  public func plannedTable(_ chunk: Int) -> String {
    "\(path)/duplicates/plan/\(Self.digits(chunk)).parquet"
  }
  public func shardTable(_ chunk: Int) -> String { "\(shards)/\(Self.digits(chunk)).parquet" }
  public func scores(of scorer: String) -> String { "\(path)/scores/\(scorer)" }
  public func scoreTable(_ chunk: Int, scorer: String) -> String {
    "\(scores(of: scorer))/\(Self.digits(chunk)).parquet"
  }
  public func filterTable(_ chunk: Int) -> String {
    "\(filtered)/verdicts/\(Self.digits(chunk)).parquet"
  }

  /// Exact scores of pairs near a cut, while a filter job by scores of bytes is under way.
  public var rescored: String { "\(filtered)/rescored" }
  public func rescoredTable(_ chunk: Int) -> String {
    "\(rescored)/\(Self.digits(chunk)).parquet"
  }

  /// Removes what a filter job can make again: the exact scores of one that is not done.
  public func removeRescored() throws(FileError) {
    guard DurableFile.isFolder(rescored) else { return }
    for name in try DurableFile.names(in: rescored) {
      try DurableFile.remove("\(rescored)/\(name)")
    }
    try DurableFile.removeFolder(rescored)
  }

  /// A chunk's number as file names show it: five digits, more when they are needed.
  public static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }

  /// Makes the folders that stages write to.
  public func make() throws(FileError) {
    for name in ["chunks", "fetched", "decoded", "deduplicated", "shards", "logs"] {
      try DurableFile.makeFolder("\(path)/\(name)")
    }
  }

  /// Removes what deduplication goes by and can make again from the tables: the indexes hold digests, uids
  /// and looks of pictures.
  ///
  /// Evaluation sets stay: they are none of the run's. So do samples, which nothing makes again.
  public func removeDuplicateIndexes() throws(FileError) {
    for name in try DurableFile.names(in: "\(duplicates)/plan") {
      try DurableFile.remove("\(duplicates)/plan/\(name)")
    }
    for name in try DurableFile.names(in: duplicates)
    where !name.hasPrefix("evaluation-") && name != "lock" {
      let path = "\(duplicates)/\(name)"
      if path == duplicateSamples { continue }
      guard DurableFile.isFolder(path) else {
        try DurableFile.remove(path)
        continue
      }
      for inner in try DurableFile.names(in: path) { try DurableFile.remove("\(path)/\(inner)") }
      try DurableFile.removeFolder(path)
    }
  }

  /// Clears temporary files of processes that are gone; those of live ones stay.
  public func removeAbandonedTemporaries() throws(FileError) {
    for path in try abandonedTemporaries() { try DurableFile.remove(path) }
  }

  /// The temporary files of processes that are gone, by their paths.
  public func abandonedTemporaries() throws(FileError) -> [String] {
    var folders = [
      path, "\(path)/chunks", "\(path)/fetched", "\(path)/decoded", "\(path)/deduplicated", shards,
      filtered, "\(filtered)/verdicts", rescored, duplicates, "\(duplicates)/plan",
      duplicateSamples,
    ]
    for parent in ["\(path)/scores", "\(path)/models"] {
      folders += try DurableFile.names(in: parent).map { "\(parent)/\($0)" }
    }
    var found: [String] = []
    for folder in folders {
      // A temporary's name ends in .PROCESS.COUNTER.tmp (DurableFileWriter).
      for name in try Self.names(in: folder) where name.hasSuffix(".tmp") {
        let parts = name.split(separator: ".")
        guard parts.count > 3, let process = Int32(parts[parts.count - 3]) else { continue }
        if process != getpid() && kill(process, 0) != 0 && errno == ESRCH {
          found.append("\(folder)/\(name)")
        }
      }
    }
    return found
  }

  /// The names in a folder; none where it is no folder, which some file of another program may be.
  private static func names(in folder: String) throws(FileError) -> [String] {
    do { return try DurableFile.names(in: folder) } catch {
      if error.errorNumber == ENOTDIR { return [] }
      throw error
    }
  }

  /// Removes the big intermediate files of a chunk that no job will read any more.
  ///
  /// Fine when they are gone; the tables stay.
  ///
  /// - Parameters:
  ///   - chunk: The chunk whose files go.
  ///   - stage: The stage that has settled: `deduplicate` frees the fetched bytes, `shard` the
  ///     decoded ones, others nothing.
  ///   - kept: Kinds that stay for all that.
  /// - Throws: ``FileError`` where the system refuses.
  public func removeIntermediates(
    of chunk: Int, after stage: StageName, keeping kept: Set<Intermediate> = []
  ) throws(FileError) {
    switch stage {
    case .deduplicate where kept.contains(.fetched), .shard where kept.contains(.decoded): break
    case .deduplicate:
      for name in try DurableFile.names(in: "\(path)/fetched")
      where name.hasPrefix(Self.digits(chunk) + ".") && name.hasSuffix(".bytes") {
        try DurableFile.remove("\(path)/fetched/\(name)")
      }
    case .shard: try DurableFile.remove(decodedBytes(chunk))
    default: break
    }
  }

  /// Removes what an attempt at a download has published that does not count.
  func removeFetched(_ chunk: Int, attempt: Int) throws(FileError) {
    // The table first: where it is, its bytes are.
    try DurableFile.remove(fetchedTable(chunk, attempt: attempt))
    try DurableFile.remove(fetchedBytes(chunk, attempt: attempt))
  }

  /// The chunks that still have big intermediate files of `kind`.
  public func chunksWithBytes(of kind: Intermediate) throws(FileError) -> Set<Int> {
    Set(
      try DurableFile.names(in: "\(path)/\(kind.rawValue)").filter { $0.hasSuffix(".bytes") }
        .compactMap { $0.split(separator: ".").first.flatMap { Int($0) } })
  }
}

/// The big files that a stage leaves for the next, by the folder that they are in.
public enum Intermediate: String, Sendable, CaseIterable {
  /// The bodies as they came.
  case fetched
  /// The pictures as they go into shards, duplicates too.
  case decoded
}
