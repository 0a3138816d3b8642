/// The tables of a ledger file.
///
/// STRICT tables and CHECK constraints make a wrong state impossible to store: a lease without an
/// owner or an end, a completed job without counts, an available job that waits, a job that was tried
/// again without having failed, two attempts at one job at a time. Times are integer milliseconds since
/// 1970 that the caller passes in (Debian 12's SQLite has no sub-second clock).
///
/// What a question needs is an index of its own, and each is partial: `jobs_available` and
/// `jobs_retryable` give the next claim, `jobs_leased` the rescue, `jobs_settled` the pace, and a job
/// is in those of its state alone. How many jobs there are of a kind is never counted: see
/// ``tallies``.
enum LedgerSchema {
  /// The number of this format, in the file's `user_version`.
  ///
  /// 1 had no tallies, no host of a session, no duration of a lease; see ``LedgerMigration``.
  static let version = 2

  /// All that a new ledger holds.
  static let statements = tables + tallies + revisions + "PRAGMA user_version = \(version);"

  private static let tables = """
    CREATE TABLE meta(
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE jobs(
      id INTEGER PRIMARY KEY,
      stage TEXT NOT NULL CHECK (stage <> ''),
      chunk INTEGER NOT NULL CHECK (chunk >= 0),
      rank INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN
        ('waiting', 'available', 'leased', 'retryable', 'completed', 'quarantined')),
      attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
      failures INTEGER NOT NULL DEFAULT 0 CHECK (failures BETWEEN 0 AND attempt),
      waiting_for INTEGER NOT NULL DEFAULT 0 CHECK (waiting_for >= 0),
      not_before INTEGER,
      lease_expires INTEGER,
      lease_duration INTEGER CHECK (lease_duration > 0),
      owner_host TEXT,
      owner_pid INTEGER,
      owner_start INTEGER,
      owner_worker TEXT,
      counts TEXT CHECK (counts IS NULL OR json_valid(counts)),
      settled_at INTEGER,
      UNIQUE (stage, chunk),
      CHECK ((state = 'waiting') = (waiting_for > 0)),
      CHECK ((state = 'retryable') = (not_before IS NOT NULL)),
      CHECK (state <> 'retryable' OR failures > 0),
      CHECK ((state = 'leased') = (lease_expires IS NOT NULL)),
      CHECK ((state = 'leased') = (lease_duration IS NOT NULL)),
      CHECK ((state = 'leased') = (owner_host IS NOT NULL)),
      CHECK ((state = 'leased') = (owner_pid IS NOT NULL)),
      CHECK ((state = 'leased') = (owner_start IS NOT NULL)),
      CHECK ((state = 'leased') = (owner_worker IS NOT NULL)),
      CHECK (state NOT IN ('leased', 'completed') OR attempt > 0),
      CHECK ((state = 'completed') = (counts IS NOT NULL)),
      CHECK ((state IN ('completed', 'quarantined')) = (settled_at IS NOT NULL))
    ) STRICT;
    CREATE INDEX jobs_available ON jobs(stage, rank DESC, chunk) WHERE state = 'available';
    CREATE INDEX jobs_retryable ON jobs(not_before) WHERE state = 'retryable';
    CREATE INDEX jobs_leased ON jobs(lease_expires) WHERE state = 'leased';
    CREATE INDEX jobs_quarantined ON jobs(chunk, rank) WHERE state = 'quarantined';
    CREATE INDEX jobs_settled ON jobs(settled_at) WHERE settled_at IS NOT NULL;

    CREATE TABLE job_dependencies(
      job INTEGER NOT NULL REFERENCES jobs(id),
      needs INTEGER NOT NULL REFERENCES jobs(id),
      kind TEXT NOT NULL CHECK (kind IN ('needs', 'after')),
      PRIMARY KEY (needs, job),
      CHECK (job <> needs)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX job_dependencies_job ON job_dependencies(job);

    CREATE TABLE attempts(
      job INTEGER NOT NULL REFERENCES jobs(id),
      attempt INTEGER NOT NULL CHECK (attempt > 0),
      host TEXT NOT NULL,
      pid INTEGER NOT NULL,
      worker TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      ended_at INTEGER,
      outcome TEXT NOT NULL CHECK (outcome IN
        ('running', 'completed', 'failed', 'released', 'expired', 'owner_died')),
      error TEXT,
      PRIMARY KEY (job, attempt),
      CHECK ((outcome = 'running') = (ended_at IS NULL)),
      CHECK ((outcome = 'failed') = (error IS NOT NULL))
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX attempts_running ON attempts(job) WHERE outcome = 'running';

    CREATE TABLE sessions(
      id INTEGER PRIMARY KEY,
      host TEXT NOT NULL CHECK (host <> ''),
      pid INTEGER NOT NULL CHECK (pid > 0),
      started_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL CHECK (seen_at >= started_at),
      ended_at INTEGER
    ) STRICT;

    CREATE TRIGGER jobs_fence BEFORE UPDATE OF attempt ON jobs WHEN NEW.attempt < OLD.attempt BEGIN
      SELECT RAISE(ABORT, 'the attempts of a job never count back: they are its fencing token');
    END;

    """
}
