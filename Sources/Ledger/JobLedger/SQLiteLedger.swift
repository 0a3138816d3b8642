internal import GRDB
import Glibc

/// A ledger in one SQLite file, for the processes of one host.
///
/// The ledger row is the truth about a chunk. A stage publishes its files first; ``complete(_:counts:newJobs:now:)``
/// then settles the job and frees what waited for it in one transaction. Durability: WAL with
/// `synchronous=FULL`, so a killed process, a crashed system and a power cut lose no completed job.
/// SQLite in WAL mode works on one host and a local disk only; several processes may share the file.
///
/// Every method takes the time as `now`, in milliseconds since 1970, and does one transaction; those of
/// a job's life share it with the other callers that wait (see ``change(_:)``).
public actor SQLiteLedger: Ledger {
  let executor = LedgerExecutor()
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  public nonisolated let path: String
  let database: DatabaseQueue
  let retry: RetryPolicy
  /// Changes that the next commit makes durable.
  var pending: [PendingChange] = []
  /// Groups of changes that were committed.
  package internal(set) var commits = 0

  /// Opens the ledger, and makes it when it is not there.
  ///
  /// - Throws: ``LedgerError/networkFilesystem(path:kind:)``, ``LedgerError/newerSchema(path:found:known:)``,
  ///   ``LedgerError/damaged(path:message:)``, ``LedgerError/database(path:message:)``.
  public init(path: String, retry: RetryPolicy = RetryPolicy()) throws(LedgerError) {
    self.path = path
    self.retry = retry
    if let kind = FilesystemKind.network(under: path) {
      throw .networkFilesystem(path: path, kind: kind)
    }
    var configuration = Configuration()
    configuration.busyMode = .callback { Self.waitForLock(tries: $0) }
    configuration.foreignKeysEnabled = true
    // A ROLLBACK may fail as well; GRDB would end the process for the transaction that it leaves. See
    // commitPending().
    configuration.allowsUnsafeTransactions = true
    configuration.prepareDatabase { database in
      // A checkpoint is two fsyncs: every 16 MB of the log, which shrinks again after a large one.
      try database.execute(
        sql: """
          PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000;
          PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864
          """)
    }
    do { database = try Self.open(path, configuration) } catch {
      throw .wrapping(error, path: path)
    }
  }

  /// Opens the file and brings it to this schema.
  ///
  /// Of two that make the file at once, SQLite refuses one its change to WAL without asking the busy
  /// handler: that one tries again, for 10 s.
  private static func open(
    _ path: String, _ configuration: Configuration
  ) throws -> DatabaseQueue {
    let start = monotonicSeconds()
    while true {
      do {
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try database.writeWithoutTransaction { try LedgerMigration.prepare($0, path: path) }
        return database
      } catch let error as DatabaseError {
        guard error.resultCode == .SQLITE_BUSY, monotonicSeconds() - start < 10 else { throw error }
        usleep(20_000)
      }
    }
  }

  private static func monotonicSeconds() -> Int {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec
  }

  /// Sleeps before SQLite tries again to get another process's lock; false after 30 s or more.
  ///
  /// SQLite's own handler soon sleeps 100 ms, many times what a commit of another process takes.
  private static func waitForLock(tries: Int) -> Bool {
    usleep(tries < 100 ? 100 : 1_000)
    return tries < 30_000
  }

  /// Runs `body` in one transaction of its own that holds the write lock from its start.
  func transaction<T>(_ body: (Database) throws -> T) throws(LedgerError) -> T {
    try inTransaction(.immediate, body)
  }

  /// Runs `body`, which only reads, on one state of the ledger; writers are not held up.
  func read<T>(_ body: (Database) throws -> T) throws(LedgerError) -> T {
    try inTransaction(.deferred, body)
  }

  private func inTransaction<T>(
    _ kind: Database.TransactionKind, _ body: (Database) throws -> T
  ) throws(LedgerError) -> T {
    do {
      var result: T?
      try database.writeWithoutTransaction { database in
        if database.isInsideTransaction { try database.rollback() }
        try database.inTransaction(kind) {
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
      var old: [String: String] = [:]
      for row in rows {
        let key: String = try row.decode(forColumn: "key")
        old[String(key.dropFirst("config.".count))] = try row.decode(forColumn: "value")
      }
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
}
