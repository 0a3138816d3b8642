import PairDataset
public import PipelineCore

/// A picture that was dropped as a duplicate, with what a person needs to judge that.
public struct DuplicateSample: Sendable, Equatable {
  public var row: Int
  public var uid: String
  public var caption: String
  public var url: String
  /// Why, and the row that is kept in its stead where it is of the same run.
  public var drop: Drop
  /// The uid of what is kept in its stead.
  public var survivorUID: String?
  /// The index or set that holds that, where it is not of the same run.
  public var source: String?
  /// The bits of the keys that differ.
  public var distance: Int?
  /// How far the finer parts of the signatures lie apart.
  public var difference: Int?

  public init(
    row: Int, uid: String, caption: String, url: String, drop: Drop, survivorUID: String? = nil,
    source: String? = nil, distance: Int? = nil, difference: Int? = nil
  ) {
    self.row = row
    self.uid = uid
    self.caption = caption
    self.url = url
    self.drop = drop
    self.survivorUID = survivorUID
    self.source = source
    self.distance = distance
    self.difference = difference
  }

  /// What is told of it in JSON.
  var json: JSONValue {
    func member(_ name: String, _ value: Int?) -> [JSONValue.Member] {
      value.map { [.init(name, .int($0))] } ?? []
    }
    func member(_ name: String, _ value: String?) -> [JSONValue.Member] {
      value.map { [.init(name, .string($0))] } ?? []
    }
    return .object(
      [.init("row", .int(row)), .init("uid", .string(uid)), .init("url", .string(url))]
        + drop.members + member("of_uid", survivorUID) + member("of_source", source)
        + member("distance", distance) + member("difference", difference))
  }

  init?(_ json: JSONValue, caption: String) {
    guard let row = json["row"]?.integer, let uid = json["uid"]?.text, let drop = Drop(json) else {
      return nil
    }
    self.init(
      row: row, uid: uid, caption: caption, url: json["url"]?.text ?? "", drop: drop,
      survivorUID: json["of_uid"]?.text, source: json["of_source"]?.text,
      distance: json["distance"]?.integer, difference: json["difference"]?.integer)
  }
}
