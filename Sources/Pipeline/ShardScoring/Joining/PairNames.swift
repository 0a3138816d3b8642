public import PairDataset
import PipelineCore

/// What a pair is known by.
public struct PairNames: Sendable, Equatable {
  public var uid: String
  public var key: String
  /// As it is written.
  public var url: String?

  public init(uid: String, key: String, url: String? = nil) {
    self.uid = uid
    self.key = key
    self.url = url
  }

  public init(_ pair: Pair) {
    var url: String?
    // A foreign shard's JSON may be anything.
    do throws(JSONError) { url = try JSONValue.parse(pair.metadata)["url"]?.text } catch {}
    self.init(uid: PairIdentity.uid(of: pair), key: pair.key, url: url)
  }
}
