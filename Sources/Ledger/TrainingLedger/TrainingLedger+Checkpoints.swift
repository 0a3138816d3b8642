internal import GRDB

extension TrainingLedger {
  /// Enters a checkpoint that was published; one of the same name takes the place of that before.
  ///
  /// - Throws: ``TrainingLedgerError``.
  public func enter(_ checkpoint: TrainingCheckpoint) throws(TrainingLedgerError) {
    try change { database in
      try database.execute(
        sql: """
          INSERT OR REPLACE INTO checkpoints(file, step, attempt, bytes, sha256, written_at, removed_at)
          VALUES (?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          checkpoint.file, checkpoint.step, checkpoint.attempt, checkpoint.bytes,
          checkpoint.sha256, checkpoint.writtenAt, checkpoint.removedAt,
        ])
    }
  }

  /// Notes that checkpoints are gone.
  ///
  /// - Throws: ``TrainingLedgerError``.
  public func remove(_ files: [String], now: Int) throws(TrainingLedgerError) {
    try change { database in
      for file in files {
        try database.execute(
          sql: "UPDATE checkpoints SET removed_at = ? WHERE file = ? AND removed_at IS NULL",
          arguments: [now, file])
      }
    }
  }

  /// All checkpoints that ever were, by step.
  ///
  /// - Throws: ``TrainingLedgerError``.
  public func checkpoints() throws(TrainingLedgerError) -> [TrainingCheckpoint] {
    try look { database in
      try Row.fetchAll(database, sql: "SELECT * FROM checkpoints ORDER BY step, file").map { row in
        TrainingCheckpoint(
          file: row["file"], step: row["step"], attempt: row["attempt"], bytes: row["bytes"],
          sha256: row["sha256"], writtenAt: row["written_at"], removedAt: row["removed_at"])
      }
    }
  }
}
