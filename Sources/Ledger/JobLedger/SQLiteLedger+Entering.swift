internal import GRDB

/// Jobs that become known.
extension SQLiteLedger {
  /// Enters jobs that are not there yet.
  ///
  /// Dependencies may name jobs of the same call that come earlier in it. About 10 µs a job.
  public func add(_ jobs: [NewJob], now: Int) async throws(LedgerError) {
    try await change { try Self.insert(jobs, into: $0, now: now) }
  }

  static func insert(_ jobs: [NewJob], into database: Database, now: Int) throws {
    guard !jobs.isEmpty else { return }
    let entry = try JobEntry(database, now: now)
    for job in jobs { try entry.enter(job) }
  }
}

/// The statements that enter jobs, prepared once for many.
private struct JobEntry {
  private let find: Statement
  private let insert: Statement
  private let depend: Statement
  private let inherited: Statement
  private let database: Database
  private let now: Int

  init(_ database: Database, now: Int) throws {
    self.database = database
    self.now = now
    find = try database.cachedStatement(
      sql: "SELECT id, state FROM jobs WHERE stage = ? AND chunk = ?")
    insert = try database.cachedStatement(
      sql: """
        INSERT INTO jobs(stage, chunk, rank, state, waiting_for, settled_at)
        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (stage, chunk) DO NOTHING
        """)
    depend = try database.cachedStatement(
      sql: "INSERT INTO job_dependencies(job, needs, kind) VALUES (?, ?, ?)")
    inherited = try database.cachedStatement(sql: SQLiteLedger.inherited)
  }

  /// Enters a job with the state that its dependencies give it; one that is known stays as it is.
  func enter(_ job: NewJob) throws {
    var dependencies: [(id: Int64, kind: String)] = []
    dependencies.reserveCapacity(job.needs.count + job.after.count)
    var open = 0
    var isLost = false
    var givenUp: [Int64] = []
    func add(_ needed: (id: Int64, state: JobState), _ kind: String) {
      dependencies.append((needed.id, kind))
      if !needed.state.isSettled { open += 1 }
    }
    for (names, kind) in [(job.needs, "needs"), (job.after, "after")] {
      for name in names {
        guard let needed = try row(name) else {
          if try row(job.name) != nil { return }
          throw LedgerError.unknownDependency(job: job.name, needs: name)
        }
        add(needed, kind)
        guard needed.state == .quarantined else { continue }
        if kind == "needs" { isLost = true } else { givenUp.append(needed.id) }
      }
    }
    if !givenUp.isEmpty {
      var known = Set(dependencies.map(\.id))
      for row in try givenUp.flatMap({ try Row.fetchAll(inherited, arguments: [$0]) }) {
        let (id, state): (Int64, JobState) = (
          try row.decode(atIndex: 0), try row.state(atIndex: 1)
        )
        if known.insert(id).inserted { add((id, state), "after") }
      }
    }
    // Nothing can wait for a job that is new, so one that is lost takes no other along.
    let state: JobState = isLost ? .quarantined : open > 0 ? .waiting : .available
    try insert.execute(arguments: [
      job.name.stage, job.name.chunk, job.rank, state.rawValue, isLost ? 0 : open,
      isLost ? now : nil,
    ])
    guard database.changesCount == 1 else { return }
    let id = database.lastInsertedRowID
    for dependency in dependencies {
      try depend.execute(arguments: [id, dependency.id, dependency.kind])
    }
  }

  private func row(_ name: JobName) throws -> (id: Int64, state: JobState)? {
    guard let row = try Row.fetchOne(find, arguments: [name.stage, name.chunk]) else { return nil }
    return (try row.decode(atIndex: 0), try row.state(atIndex: 1))
  }
}

extension Row {
  /// The state in a column; what is none is damage.
  func state(atIndex index: Int) throws -> JobState {
    let text: String = try decode(atIndex: index)
    guard let state = JobState(rawValue: text) else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a job is in the state \"\(text)\"")
    }
    return state
  }
}
