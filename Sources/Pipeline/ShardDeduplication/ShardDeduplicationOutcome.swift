/// What came of it.
public struct ShardDeduplicationOutcome: Sendable, Equatable, Codable {
  /// Pairs that were read, and those that are in the new shards.
  public var read = 0
  public var kept = 0
  /// Dropped pairs by reason.
  public var dropped: [String: Int] = [:]
  /// Kept pairs whose picture does not decode, by the word for what is wrong with it.
  public var undecoded: [String: Int] = [:]
  /// Of all members of the pairs read, and of the dropped ones.
  public var bytesRead = 0
  public var bytesDropped = 0
  /// The new shards' files, relative to the folder.
  public var shards: [String] = []
  /// The rows whose pictures have most duplicates, with their keys and how many were dropped for them.
  public var groups: [Group] = []
  /// Pairs that had to be given another key: their new shard has one of the same.
  public var renamed = 0
  /// Why no tables were taken along, where some shards have them.
  public var withoutTables: String?
  /// Whether all was there already.
  public var wasComplete = false

  public struct Group: Sendable, Equatable, Codable {
    /// The row that is kept; nil where another index or set holds it.
    public var row: Int?
    /// The key of the pair that is kept; what names it in another index or set.
    public var key: String
    /// Its shard, or the index or set.
    public var place: String
    public var dropped: Int
  }
}
