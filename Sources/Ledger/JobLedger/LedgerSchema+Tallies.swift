extension LedgerSchema {
  /// Running counts of jobs and sums of what they counted, kept by triggers.
  ///
  /// Whatever statement writes to `jobs`, in this program or by hand, the tallies are exact after it, in
  /// the same transaction. Without them a question about a million jobs reads 200 MB.
  ///
  /// `job_totals.path` is the JSON path without SQLite's quotes, whose rule differs by its version;
  /// `terms` is how many integers are in a sum, so that a sum of none can be told from one that is 0.
  static let tallies = """
    CREATE TABLE job_tally(
      stage TEXT NOT NULL,
      state TEXT NOT NULL,
      jobs INTEGER NOT NULL CHECK (jobs >= 0),
      PRIMARY KEY (stage, state)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE job_totals(
      stage TEXT NOT NULL,
      path TEXT NOT NULL,
      total INTEGER NOT NULL,
      terms INTEGER NOT NULL CHECK (terms >= 0),
      PRIMARY KEY (stage, path)
    ) STRICT, WITHOUT ROWID;

    CREATE TRIGGER jobs_tally_insert AFTER INSERT ON jobs BEGIN
      INSERT INTO job_tally(stage, state, jobs) VALUES (NEW.stage, NEW.state, 1)
        ON CONFLICT DO UPDATE SET jobs = jobs + 1;
    END;
    CREATE TRIGGER jobs_tally_update AFTER UPDATE OF stage, state ON jobs
    WHEN NEW.state <> OLD.state OR NEW.stage <> OLD.stage BEGIN
      UPDATE job_tally SET jobs = jobs - 1 WHERE stage = OLD.stage AND state = OLD.state;
      INSERT INTO job_tally(stage, state, jobs) VALUES (NEW.stage, NEW.state, 1)
        ON CONFLICT DO UPDATE SET jobs = jobs + 1;
    END;
    CREATE TRIGGER jobs_tally_delete AFTER DELETE ON jobs BEGIN
      UPDATE job_tally SET jobs = jobs - 1 WHERE stage = OLD.stage AND state = OLD.state;
    END;
    CREATE TRIGGER jobs_totals_insert AFTER INSERT ON jobs WHEN NEW.counts IS NOT NULL BEGIN
      INSERT INTO job_totals(stage, path, total, terms)
        SELECT NEW.stage, replace(fullkey, '"', ''), atom, 1 FROM json_tree(NEW.counts)
        WHERE type = 'integer'
        ON CONFLICT DO UPDATE SET total = total + excluded.total, terms = terms + 1;
    END;
    CREATE TRIGGER jobs_totals_update AFTER UPDATE OF stage, counts ON jobs
    WHEN NEW.counts IS NOT OLD.counts OR NEW.stage <> OLD.stage BEGIN
      UPDATE job_totals SET total = total - old.sum, terms = terms - old.number
        FROM (SELECT replace(fullkey, '"', '') AS key, SUM(atom) AS sum, COUNT(*) AS number
          FROM json_tree(OLD.counts) WHERE type = 'integer' GROUP BY 1) AS old
        WHERE stage = OLD.stage AND path = old.key;
      INSERT INTO job_totals(stage, path, total, terms)
        SELECT NEW.stage, replace(fullkey, '"', ''), atom, 1 FROM json_tree(NEW.counts)
        WHERE type = 'integer'
        ON CONFLICT DO UPDATE SET total = total + excluded.total, terms = terms + 1;
    END;
    CREATE TRIGGER jobs_totals_delete AFTER DELETE ON jobs WHEN OLD.counts IS NOT NULL BEGIN
      UPDATE job_totals SET total = total - old.sum, terms = terms - old.number
        FROM (SELECT replace(fullkey, '"', '') AS key, SUM(atom) AS sum, COUNT(*) AS number
          FROM json_tree(OLD.counts) WHERE type = 'integer' GROUP BY 1) AS old
        WHERE stage = OLD.stage AND path = old.key;
    END;

    """

  /// Counts every change of the configuration and the notes, so that of two states of them the later
  /// can be told.
  static let revisions = ["INSERT", "UPDATE", "DELETE"].map { change in
    let row = change == "DELETE" ? "OLD" : "NEW"
    return """
      CREATE TRIGGER meta_revised_\(change.lowercased()) AFTER \(change) ON meta
      WHEN \(row).key <> 'revision' BEGIN
        INSERT INTO meta(key, value) VALUES ('revision', '1')
          ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT);
      END;

      """
  }.joined()
}
