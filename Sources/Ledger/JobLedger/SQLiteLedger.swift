internal import GRDB
import WorkerThreads

/// A ledger in one SQLite file, for the processes of one host.
///
/// The ledger row is the truth about a chunk. A stage publishes its files first; ``complete(_:counts:newJobs:now:)``
/// then settles the job and frees what waited for it in one transaction. Durability: WAL with
/// `synchronous=FULL`, so a killed process, a crashed system and a power cut lose no completed job.
/// SQLite in WAL mode works on one host and a local disk only; several processes may share the file.
///
/// Every method takes the time as `now`, in milliseconds since 1970, and does one transaction.
public actor SQLiteLedger: Ledger {
  private let executor = BlockingExecutor(label: "pairloom.ledger")
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  public nonisolated let path: String
  let database: DatabaseQueue
  let retry: RetryPolicy

  /// Opens the ledger, and makes it when it is not there.
  public init(path: String, retry: RetryPolicy = RetryPolicy()) throws(LedgerError) {
    self.path = path
    self.retry = retry
    var configuration = Configuration()
    configuration.busyMode = .timeout(30)
    configuration.foreignKeysEnabled = true
    // A ROLLBACK may fail as well; GRDB would end the process for the transaction that it leaves.
    configuration.allowsUnsafeTransactions = true
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    }
    do {
      database = try DatabaseQueue(path: path, configuration: configuration)
      try database.write { try LedgerSchema.prepare($0, path: path) }
    } catch {
      throw .wrapping(error, path: path)
    }
  }

  /// Runs `body` in one transaction that holds the write lock from its start.
  func transaction<T>(_ body: (Database) throws -> T) throws(LedgerError) -> T {
    do {
      var result: T?
      try database.writeWithoutTransaction { database in
        if database.isInsideTransaction { try database.rollback() }
        try database.inTransaction(.immediate) {
          result = try body(database)
          return .commit
        }
      }
      guard let result else { preconditionFailure("a transaction ended without a result") }
      return result
    } catch {
      throw .wrapping(error, path: path)
    }
  }

  /// Binds the file to a configuration, or checks that it is bound to the same.
  ///
  /// - Throws: ``LedgerError/configurationChanged(path:differences:)`` with a line per differing key.
  public func bind(configuration: [(key: String, value: String)], now: Int) throws(LedgerError) {
    try transaction { database in
      let rows = try Row.fetchAll(
        database, sql: "SELECT key, value FROM meta WHERE key LIKE 'config.%'")
      let old = Dictionary(
        uniqueKeysWithValues: rows.map {
          (String(($0["key"] as String).dropFirst("config.".count)), $0["value"] as String)
        })
      if old.isEmpty {
        for (key, value) in configuration {
          try database.execute(
            sql: "INSERT INTO meta(key, value) VALUES (?, ?)", arguments: ["config." + key, value])
        }
        return
      }
      let new = Dictionary(uniqueKeysWithValues: configuration.map { ($0.key, $0.value) })
      let differences = Set(old.keys).union(new.keys).sorted().compactMap { key -> String? in
        old[key] == new[key]
          ? nil : "\(key): was \(old[key] ?? "not set"), now \(new[key] ?? "not set")"
      }
      if !differences.isEmpty {
        throw LedgerError.configurationChanged(path: path, differences: differences)
      }
    }
  }

  /// Enters jobs that are not there yet.
  ///
  /// Dependencies may name jobs of the same call that come earlier in it.
  public func add(_ jobs: [NewJob], now: Int) throws(LedgerError) {
    try transaction { try Self.insert(jobs, into: $0, now: now) }
  }

  static func insert(_ jobs: [NewJob], into database: Database, now: Int) throws {
    for job in jobs {
      let known = try Bool.fetchOne(
        database, sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE stage = ? AND chunk = ?)",
        arguments: [job.name.stage, job.name.chunk])
      if known == true { continue }
      try database.execute(
        sql: "INSERT INTO jobs(stage, chunk, rank, state) VALUES (?, ?, ?, 'available')",
        arguments: [job.name.stage, job.name.chunk, job.rank])
      let id = database.lastInsertedRowID
      var open = 0
      var isLost = false
      for (names, kind) in [(job.needs, "needs"), (job.after, "after")] {
        for name in names {
          guard
            let row = try Row.fetchOne(
              database, sql: "SELECT id, state FROM jobs WHERE stage = ? AND chunk = ?",
              arguments: [name.stage, name.chunk])
          else { throw LedgerError.unknownDependency(job: job.name, needs: name) }
          let needed: Int64 = row["id"]
          let state = JobState(rawValue: row["state"])
          try database.execute(
            sql: "INSERT INTO job_dependencies(job, needs, kind) VALUES (?, ?, ?)",
            arguments: [id, needed, kind])
          if state?.isSettled != true { open += 1 }
          if state == .quarantined && kind == "needs" { isLost = true }
        }
      }
      if open > 0 {
        try database.execute(
          sql: "UPDATE jobs SET state = 'waiting', waiting_for = ? WHERE id = ?",
          arguments: [open, id])
      }
      if isLost { try quarantine(id, in: database, now: now) }
    }
  }
}
