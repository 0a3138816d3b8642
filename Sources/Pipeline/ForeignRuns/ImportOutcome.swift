public import PipelineCore

/// What an import has made of a folder.
public struct ImportOutcome: Sendable, Equatable {
  /// Something about one shard that a person should know.
  public struct Finding: Sendable, Equatable {
    /// As the files name it.
    public var shard: String
    public var words: String
  }

  /// Shards that were taken over.
  public internal(set) var shards = 0
  /// Those among them that are links to the folder's.
  public internal(set) var linked = 0
  /// Numbers without a shard: chunks without rows.
  public internal(set) var gaps = 0
  /// Shards that img2dataset has not ended, or that cannot be read.
  public internal(set) var unfinished = 0
  /// Rows that the tables and the tars tell of.
  public internal(set) var rows = 0
  /// Pairs in the shards.
  public internal(set) var pairs = 0
  public internal(set) var bytes = 0
  /// Dropped rows by reason.
  public internal(set) var failures: [DropReason: Int] = [:]
  /// Those that pass by themselves, which a retry asks for where nothing else is said.
  public internal(set) var transient = 0
  /// All that a retry may ask for.
  public internal(set) var mayHeal = 0
  /// Pairs whose downloaded bytes have no SHA-256 in the tables.
  public internal(set) var withoutSHA256 = 0
  public internal(set) var findings: [Finding] = []
  /// Options that were taken for granted.
  public internal(set) var assumed: [ImportSetting] = []
  /// Whether a former import had done all but the last step.
  public internal(set) var wasEnded = false

  init() {}
}
