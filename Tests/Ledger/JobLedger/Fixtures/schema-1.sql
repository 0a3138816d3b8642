-- The statements of schema 1, as Pairloom made ledgers before tallies and sessions with hosts.
CREATE TABLE meta(
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs(
  id INTEGER PRIMARY KEY,
  stage TEXT NOT NULL,
  chunk INTEGER NOT NULL CHECK (chunk >= 0),
  rank INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('waiting', 'available', 'leased', 'retryable', 'completed', 'quarantined')),
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  waiting_for INTEGER NOT NULL DEFAULT 0 CHECK (waiting_for >= 0),
  not_before INTEGER,
  lease_expires INTEGER,
  owner_host TEXT,
  owner_pid INTEGER,
  owner_start INTEGER,
  owner_worker TEXT,
  counts TEXT,
  settled_at INTEGER,
  UNIQUE (stage, chunk),
  CHECK (state = 'quarantined' OR (state = 'waiting') = (waiting_for > 0)),
  CHECK ((state = 'retryable') = (not_before IS NOT NULL)),
  CHECK ((state = 'leased') = (lease_expires IS NOT NULL)),
  CHECK ((state = 'leased') = (owner_host IS NOT NULL)),
  CHECK ((state = 'leased') = (owner_pid IS NOT NULL)),
  CHECK ((state = 'leased') = (owner_start IS NOT NULL)),
  CHECK ((state = 'leased') = (owner_worker IS NOT NULL)),
  CHECK (state NOT IN ('leased', 'completed') OR attempt > 0),
  CHECK ((state = 'completed') = (counts IS NOT NULL)),
  CHECK ((state IN ('completed', 'quarantined')) = (settled_at IS NOT NULL))
) STRICT;
CREATE INDEX jobs_claimable ON jobs(rank DESC, chunk) WHERE state IN ('available', 'retryable');
CREATE INDEX jobs_leased ON jobs(lease_expires) WHERE state = 'leased';

CREATE TABLE job_dependencies(
  job INTEGER NOT NULL REFERENCES jobs(id),
  needs INTEGER NOT NULL REFERENCES jobs(id),
  kind TEXT NOT NULL CHECK (kind IN ('needs', 'after')),
  PRIMARY KEY (needs, job),
  CHECK (job <> needs)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE sessions(
  id INTEGER PRIMARY KEY,
  started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL CHECK (seen_at >= started_at)
) STRICT;

PRAGMA user_version = 1;
