/// What came of it.
public struct SemanticOutcome: Sendable, Equatable, Codable {
  /// Rows of the embeddings, and those that are duplicates.
  public var rows = 0
  public var duplicates = 0
  public var clusters = 0
  public var audit = SemanticAudit()
  /// The largest groups: the row that stays, its key, and how many were dropped for it.
  public var groups: [Group] = []
  /// Pairs of the shards that were read and those that are in the new ones; zero for a plan.
  public var read = 0
  public var kept = 0
  public var bytesRead = 0
  public var bytesDropped = 0
  public var shards: [String] = []
  /// Whether an earlier command had made it all.
  public var wasComplete = false

  public struct Group: Sendable, Equatable, Codable {
    public var row: Int
    public var key: String
    public var dropped: Int
  }

  public init() {}
}
