internal import GRDB

/// One caller's change, and how that caller is answered.
struct PendingChange {
  /// Makes the change and keeps its result.
  let apply: (Database) throws -> Void
  /// Answers with the result, or with why the change is not there.
  let answer: (LedgerError?) -> Void
}

/// Durability shared: the changes of all callers that wait are one transaction and one fsync.
///
/// A disk gives some hundreds or thousands of fsyncs a second, however much each makes durable. So a
/// change is not made when its call runs but put by, and the calls that already wait at the actor put
/// theirs beside it; the first has asked to be called back behind them, and then all are committed at
/// once. Nothing waits for a timer: a call that is alone is committed alone, at once, and while the disk
/// works the next group gathers.
///
/// Each change has a savepoint, so that one that fails, such as the report of a lost lease, takes none
/// of the others with it. Each caller is answered after the COMMIT; when that fails, so do all.
extension SQLiteLedger {
  /// Makes a change that is durable when this returns, in a transaction shared with other callers.
  ///
  /// - Parameter body: Runs once, with the write lock held. What it throws undoes this change alone.
  /// - Returns: What `body` returned.
  /// - Throws: What `body` threw, or why the commit failed.
  func change<T: Sendable>(
    _ body: @escaping (Database) throws -> T
  ) async throws(LedgerError) -> T {
    let outcome: Result<T, LedgerError> = await withCheckedContinuation { continuation in
      var result: T?
      pending.append(
        PendingChange(
          apply: { result = try body($0) },
          answer: { error in
            if let error { return continuation.resume(returning: .failure(error)) }
            guard let result else { preconditionFailure("a change ended without a result") }
            continuation.resume(returning: .success(result))
          }))
      // The first of a group calls the group; the others find it called.
      guard pending.count == 1 else { return }
      executor.afterWaiting { self.assumeIsolated { $0.commitPending() } }
    }
    return try outcome.get()
  }

  private func commitPending() {
    let group = pending
    pending = []
    var errors = [LedgerError?](repeating: nil, count: group.count)
    do {
      try database.writeWithoutTransaction { database in
        // Left by a group whose ROLLBACK failed.
        if database.isInsideTransaction { try database.execute(sql: "ROLLBACK") }
        try database.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
        do {
          for index in group.indices {
            errors[index] = try attempt(group[index], isAlone: group.count == 1, in: database)
          }
          try database.cachedStatement(sql: "COMMIT").execute()
        } catch {
          // On a full disk SQLite may have rolled back already. What ROLLBACK says is dropped, since
          // the first error tells the cause.
          if database.isInsideTransaction { try? database.execute(sql: "ROLLBACK") }
          throw error
        }
      }
      commits += 1
    } catch {
      let failure = LedgerError.wrapping(error, path: path)
      errors = errors.map { $0 ?? failure }
    }
    for (change, error) in zip(group, errors) { change.answer(error) }
  }

  /// Makes one change of a group, or none of it.
  ///
  /// - Returns: Why it was undone.
  /// - Throws: What undid the whole transaction.
  private func attempt(
    _ change: PendingChange, isAlone: Bool, in database: Database
  ) throws -> LedgerError? {
    if isAlone {
      try change.apply(database)
      return nil
    }
    try database.cachedStatement(sql: "SAVEPOINT change").execute()
    do {
      try change.apply(database)
      try database.cachedStatement(sql: "RELEASE change").execute()
      return nil
    } catch {
      guard database.isInsideTransaction else { throw error }
      try database.cachedStatement(sql: "ROLLBACK TO change").execute()
      try database.cachedStatement(sql: "RELEASE change").execute()
      return .wrapping(error, path: path)
    }
  }
}
