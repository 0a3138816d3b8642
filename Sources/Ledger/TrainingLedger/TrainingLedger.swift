internal import GRDB
import Glibc
import JobLedger

/// The ledger of a training run: its attempts and its checkpoints, in one SQLite file of its folder.
///
/// At most one attempt runs. Whoever begins the next finds out what became of the last: a process of this host that
/// is gone was killed; one of another host counts as killed when it was not seen for ``attemptLife``. An attempt that was
/// taken for dead may not write any more. The rollback journal and `synchronous=FULL` are used, so that
/// a folder on a network filesystem serves as well as its locks do; there are few commits. Every method blocks, for one
/// transaction; times are milliseconds since 1970.
public final class TrainingLedger: Sendable {
  /// The file's name in the run's folder.
  public static let fileName = "training.sqlite"
  /// How long a process of another host may go without being seen.
  public static let attemptLife = 120_000

  public let path: String
  let database: DatabaseQueue

  private static let schemaVersion = 1

  /// Opens the ledger of a folder.
  ///
  /// - Parameters:
  ///   - folder: The run's.
  ///   - isNew: Whether the ledger is made when it is not there.
  /// - Returns: Nil when there is none and none is to be made.
  /// - Throws: ``TrainingLedgerError``.
  public static func open(
    folder: String, making isNew: Bool
  ) throws(TrainingLedgerError) -> TrainingLedger? {
    let path = folder + "/" + fileName
    if !isNew, unsafe access(path, F_OK) != 0 { return nil }
    return try TrainingLedger(path: path)
  }

  private init(path: String) throws(TrainingLedgerError) {
    self.path = path
    var configuration = Configuration()
    configuration.busyMode = .timeout(30)
    // A ROLLBACK may fail as well; GRDB would end the process for the transaction that it leaves.
    configuration.allowsUnsafeTransactions = true
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL")
    }
    do {
      database = try DatabaseQueue(path: path, configuration: configuration)
      try database.writeWithoutTransaction { database in
        // The usual case takes no lock.
        guard try Self.version(of: database) == 0 else { return }
        try database.inTransaction(.immediate) {
          if try Self.version(of: database) == 0 { try database.execute(sql: Self.tables) }
          return .commit
        }
      }
      let version = try database.read { try Self.version(of: $0) }
      guard version == Self.schemaVersion else {
        throw TrainingLedgerError(
          path: path, problem: "has format \(version), and this program knows \(Self.schemaVersion)"
        )
      }
    } catch {
      throw .wrapping(error, path: path)
    }
  }

  private static func version(of database: Database) throws -> Int {
    try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
  }

  private static let tables = """
    CREATE TABLE attempts(
      number INTEGER PRIMARY KEY,
      host TEXT NOT NULL CHECK (host <> ''),
      pid INTEGER NOT NULL,
      process_start INTEGER NOT NULL,
      started_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL,
      ended_at INTEGER,
      from_step INTEGER CHECK (from_step >= 0),
      to_step INTEGER CHECK (to_step >= 0),
      outcome TEXT NOT NULL CHECK (outcome IN ('running', 'done', 'stopped', 'killed', 'failed')),
      error TEXT,
      facts TEXT NOT NULL CHECK (json_valid(facts)),
      CHECK ((outcome = 'running') = (ended_at IS NULL)),
      CHECK ((outcome = 'failed') = (error IS NOT NULL))
    ) STRICT;
    CREATE UNIQUE INDEX attempts_running ON attempts(outcome) WHERE outcome = 'running';
    CREATE TABLE checkpoints(
      file TEXT PRIMARY KEY,
      step INTEGER NOT NULL CHECK (step >= 0),
      attempt INTEGER NOT NULL REFERENCES attempts(number),
      bytes INTEGER NOT NULL,
      sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
      written_at INTEGER NOT NULL,
      removed_at INTEGER
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = \(schemaVersion);
    """

  func change<T>(_ body: (Database) throws -> T) throws(TrainingLedgerError) -> T {
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

  func look<T>(_ body: (Database) throws -> T) throws(TrainingLedgerError) -> T {
    do { return try database.read(body) } catch { throw .wrapping(error, path: path) }
  }
}

extension TrainingLedgerError {
  static func wrapping(_ error: any Error, path: String) -> TrainingLedgerError {
    if let error = error as? TrainingLedgerError { return error }
    guard let error = error as? DatabaseError else {
      return TrainingLedgerError(path: path, problem: "\(error)")
    }
    let advice =
      switch error.resultCode {
      case .SQLITE_BUSY: "; another process holds it: end that one or wait"
      case .SQLITE_FULL: "; free some space"
      case .SQLITE_CANTOPEN, .SQLITE_READONLY: "; check that the folder exists and may be written"
      case .SQLITE_NOTADB, .SQLITE_CORRUPT:
        "; remove it: the history of the run is lost, its checkpoints are not"
      default: ""
      }
    return TrainingLedgerError(
      path: path, problem: (error.message ?? "\(error.resultCode)") + advice)
  }
}
