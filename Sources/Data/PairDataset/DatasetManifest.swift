import DurableFiles
import FoundationEssentials

/// The file `dataset.json`: the shards to train on and how they came about.
///
/// Holds no time and no absolute path, so the same run gives the same bytes.
public struct DatasetManifest: Codable, Sendable, Equatable {
  /// What a stage let through.
  public struct FunnelStep: Codable, Sendable, Equatable {
    public var stage: String
    public var pairs: Int

    public init(stage: String, pairs: Int) {
      self.stage = stage
      self.pairs = pairs
    }
  }

  /// The version that is written and read.
  public static let currentVersion = 1

  public var version = currentVersion
  /// Their `file` is relative to the folder of the manifest.
  public var shards: [ShardSummary]
  /// Of all shards.
  public var pairs: Int
  /// Of all shards, without indexes and tables.
  public var bytes: Int
  /// Of the recipe that made them, 64 hexadecimal digits.
  public var recipeSHA256: String
  /// From the list to the kept pairs, in order.
  public var funnel: [FunnelStep]

  /// A manifest of `shards`, whose pairs and bytes it counts.
  public init(shards: [ShardSummary], recipeSHA256: String, funnel: [FunnelStep]) {
    self.shards = shards
    pairs = shards.reduce(0) { $0 + $1.pairs }
    bytes = shards.reduce(0) { $0 + $1.bytes }
    self.recipeSHA256 = recipeSHA256
    self.funnel = funnel
  }

  /// Manifests of before there was `bytes` get the sum of their shards.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    version = try fields.decode(Int.self, forKey: .version)
    shards = try fields.decode([ShardSummary].self, forKey: .shards)
    pairs = try fields.decode(Int.self, forKey: .pairs)
    recipeSHA256 = try fields.decode(String.self, forKey: .recipeSHA256)
    funnel = try fields.decode([FunnelStep].self, forKey: .funnel)
    let counted = Self.sum(shards, \.bytes)
    guard Self.sum(shards, \.pairs) != nil, let counted,
      funnel.allSatisfy({ Self.range.contains($0.pairs) })
    else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: Self.outOfRange))
    }
    bytes = try fields.decodeIfPresent(Int.self, forKey: .bytes) ?? counted
  }

  /// What a count, or a sum of counts, may be: JSON numbers are exact as far as that.
  private static let range = 0...(1 << 52)
  private static let outOfRange = "a count is not in 0 … 2^52"

  /// The sum of a count over all shards; nil where it, or one count, is out of range.
  private static func sum(_ shards: [ShardSummary], _ count: KeyPath<ShardSummary, Int>) -> Int? {
    var sum = 0
    for shard in shards {
      guard range.contains(shard[keyPath: count]) else { return nil }
      // Two numbers of the range cannot overflow.
      sum += shard[keyPath: count]
      guard range.contains(sum) else { return nil }
    }
    return sum
  }

  /// - Throws: ``ShardError``: `file`, or `badManifest`.
  public static func read(_ path: String) throws -> DatasetManifest {
    let bytes = try file(path) { () throws(FileError) in try DurableFile.read(path) }
    let manifest: DatasetManifest
    do {
      // The version first: another one may have other fields.
      let version = try JSONDecoder().decode(Version.self, from: Data(bytes)).version
      guard version == currentVersion else {
        throw ShardError(.badManifest("it has version \(version)"), shard: path)
      }
      manifest = try JSONDecoder().decode(DatasetManifest.self, from: Data(bytes))
    } catch let error as DecodingError {
      throw ShardError(.badManifest(words(error)), shard: path)
    }
    guard manifest.pairs == sum(manifest.shards, \.pairs) else {
      throw ShardError(.badManifest("its pairs are not the sum of its shards'"), shard: path)
    }
    guard manifest.bytes == sum(manifest.shards, \.bytes) else {
      throw ShardError(.badManifest("its bytes are not the sum of its shards'"), shard: path)
    }
    return manifest
  }

  /// Publishes the manifest as JSON with sorted keys.
  ///
  /// - Throws: ``ShardError`` with reason `file`.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let bytes = [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
    try file(path) { () throws(FileError) in try DurableFile.write(bytes, to: path) }
  }

  private struct Version: Codable {
    var version: Int
  }

  private static func words(_ error: DecodingError) -> String {
    let (what, context) =
      switch error {
      case .keyNotFound(let key, let context): ("\(key.stringValue) is missing", context)
      case .typeMismatch(_, let context), .valueNotFound(_, let context):
        ("a field has the wrong type", context)
      case .dataCorrupted(let context) where context.debugDescription == outOfRange:
        (outOfRange, context)
      case .dataCorrupted(let context): ("it is not JSON", context)
      @unknown default:
        ("it does not decode", DecodingError.Context(codingPath: [], debugDescription: ""))
      }
    let place = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
    return place.isEmpty ? what : "\(what), in \(place.joined(separator: " "))"
  }
}
