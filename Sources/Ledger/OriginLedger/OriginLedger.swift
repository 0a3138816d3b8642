import FoundationEssentials
internal import GRDB
import JobLedger

/// What origins (scheme, host, port) were found to wish, shared by the processes of a machine.
///
/// A cache with claims: of all who need an origin's content one is told to get it, and the others to
/// wait, so that each origin is asked once in a content's lifetime, also over restarts. A claim ends
/// with its content, with `release`, with its process, or after ``lease``; so nobody waits for the
/// dead. Contents are the caller's bytes. Its own SQLite file, in WAL mode with `synchronous=NORMAL`:
/// a killed process loses nothing, a power cut perhaps the last contents, which are then asked for
/// again. Times are milliseconds since 1970. Every method blocks, for one transaction, however many
/// origins it is about.
public final class OriginLedger: Sendable {
  /// What to do about an origin.
  public enum Claim: Sendable, Equatable {
    /// Use this.
    case known(content: [UInt8], storedAt: Int)
    /// Get it, then `store` or `release`.
    case yours
    /// Somebody else is getting it: ask again soon.
    case busy
  }

  public let path: String
  private let kind: String
  private let database: DatabaseQueue
  private let owner: LeaseOwner
  private let ownerText: String

  /// How long a content is good: a day, as RFC 9309 §2.4 has it for robots.txt.
  public static let lifetime = 86_400_000
  /// How long a claim of a process that lives is respected.
  public static let lease = 120_000

  private static let schemaVersion = 1

  /// Opens the file, made when it is not there, and drops what is too old.
  ///
  /// - Parameters:
  ///   - path: On a local disk.
  ///   - kind: Tells contents of different meaning or format apart, such as "rules/1".
  ///   - now: The time.
  /// - Throws: `OriginLedgerError` when the file cannot be used.
  public init(path: String, kind: String, now: Int) throws(OriginLedgerError) {
    self.path = path
    self.kind = kind
    owner = ProcessIdentity.owner(worker: String(UInt64.random(in: 0...UInt64.max), radix: 16))
    ownerText = "\(owner.host) \(owner.processID) \(owner.processStart) \(owner.worker)"
    var configuration = Configuration()
    configuration.busyMode = .timeout(30)
    // A ROLLBACK may fail as well; GRDB would end the process for the transaction that it leaves.
    configuration.allowsUnsafeTransactions = true
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
    }
    do {
      database = try DatabaseQueue(path: path, configuration: configuration)
      try database.write { database in
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard version <= Self.schemaVersion else {
          throw OriginLedgerError(
            path: path, problem: "is of a newer version (\(version)): remove it, it is a cache")
        }
        try database.execute(
          sql: """
            CREATE TABLE IF NOT EXISTS origins(
              kind TEXT NOT NULL, origin TEXT NOT NULL,
              content BLOB, stored_at INTEGER,
              owner TEXT, claimed_at INTEGER,
              PRIMARY KEY (kind, origin)) STRICT;
            PRAGMA user_version = \(Self.schemaVersion)
            """)
        try database.execute(
          sql: "DELETE FROM origins WHERE stored_at <= ?", arguments: [now - Self.lifetime])
      }
    } catch {
      throw OriginLedgerError(error, path: path)
    }
  }

  /// Claims origins, each of which is answered in its place.
  public func claim(_ origins: [String], now: Int) throws(OriginLedgerError) -> [Claim] {
    do {
      // Most are known when a run goes on: reading needs no place in the queue of writers.
      var claims = try database.read { database in
        try origins.map { try self.state(of: $0, in: database, now: now) }
      }
      guard claims.contains(.yours) else { return claims }
      try transaction { database in
        for index in claims.indices where claims[index] == .yours {
          claims[index] = try self.state(of: origins[index], in: database, now: now)
          guard claims[index] == .yours else { continue }
          try database.cachedStatement(
            sql: """
              INSERT INTO origins(kind, origin, owner, claimed_at) VALUES (?, ?, ?, ?)
              ON CONFLICT DO UPDATE SET owner = excluded.owner, claimed_at = excluded.claimed_at
              """
          ).execute(arguments: [self.kind, origins[index], self.ownerText, now])
        }
      }
      return claims
    } catch {
      throw OriginLedgerError(error, path: path)
    }
  }

  /// Keeps contents, and ends the claims on their origins.
  public func store(
    _ entries: [(origin: String, content: [UInt8])], now: Int
  ) throws(OriginLedgerError) {
    do {
      try transaction { database in
        for entry in entries {
          try database.cachedStatement(
            sql: """
              INSERT OR REPLACE INTO origins(kind, origin, content, stored_at) VALUES (?, ?, ?, ?)
              """
          ).execute(arguments: [self.kind, entry.origin, Data(entry.content), now])
        }
      }
    } catch {
      throw OriginLedgerError(error, path: path)
    }
  }

  /// Ends claims of this object that came to nothing; others keep theirs.
  public func release(_ origins: [String]) throws(OriginLedgerError) {
    do {
      try transaction { database in
        for origin in origins {
          try database.cachedStatement(
            sql: "DELETE FROM origins WHERE kind = ? AND origin = ? AND owner = ?"
          ).execute(arguments: [self.kind, origin, self.ownerText])
        }
      }
    } catch {
      throw OriginLedgerError(error, path: path)
    }
  }

  private func transaction(_ body: (Database) throws -> Void) throws {
    try database.writeWithoutTransaction { database in
      if database.isInsideTransaction { try database.rollback() }
      try database.inTransaction(.immediate) {
        try body(database)
        return .commit
      }
    }
  }

  private func state(of origin: String, in database: Database, now: Int) throws -> Claim {
    let statement = try database.cachedStatement(
      sql: """
        SELECT content, stored_at, owner, claimed_at FROM origins WHERE kind = ? AND origin = ?
        """)
    guard let row = try Row.fetchOne(statement, arguments: [kind, origin]) else { return .yours }
    if let content = row["content"] as Data?, let storedAt = row["stored_at"] as Int?,
      Self.isRecent(storedAt, Self.lifetime, now)
    {
      return .known(content: [UInt8](content), storedAt: storedAt)
    }
    guard let other = row["owner"] as String?, other != ownerText,
      let claimedAt = row["claimed_at"] as Int?, Self.isRecent(claimedAt, Self.lease, now),
      Self.isAlive(other)
    else { return .yours }
    return .busy
  }

  /// A time ahead is from before this machine's clock was set back, and too old as well.
  private static func isRecent(_ time: Int, _ span: Int, _ now: Int) -> Bool {
    (0..<span).contains(now - time)
  }

  /// Whether an owner may still run: one on another host may.
  private static func isAlive(_ text: String) -> Bool {
    let fields = text.split(separator: " ")
    guard fields.count == 4, let process = Int(fields[1]), let start = Int(fields[2]) else {
      return false
    }
    let owner = LeaseOwner(
      host: String(fields[0]), processID: process, processStart: start, worker: String(fields[3]))
    return ProcessIdentity.isAlive(owner) ?? true
  }
}
