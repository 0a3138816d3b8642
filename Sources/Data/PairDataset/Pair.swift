/// One picture with its caption: what the pipeline makes and the trainer reads.
public struct Pair: Sendable, Equatable {
  /// Unique in its shard, without a dot.
  public var key: String
  public var caption: String
  /// Whether a shard has a `.txt` for the caption; without one the caption is empty.
  public var hasText: Bool
  /// The encoded picture.
  public var image: [UInt8]
  /// How the picture is encoded, as the ending of its name: `jpg`, `png`, `webp`, `gif`.
  public var imageExtension: String
  /// JSON text; empty when a foreign shard has none.
  public var metadata: [UInt8]

  public init(
    key: String, caption: String, image: [UInt8], imageExtension: String = "jpg",
    metadata: [UInt8], hasText: Bool = true
  ) {
    precondition(hasText || caption.isEmpty, "a caption needs its .txt")
    self.key = key
    self.caption = caption
    self.hasText = hasText
    self.image = image
    self.imageExtension = imageExtension
    self.metadata = metadata
  }
}

/// How a shard's tar is stored.
public enum ShardCompression: String, Codable, Sendable, CaseIterable {
  /// LZ4 frames of about 1 MiB, each on its own: `lz4 -dc` streams it, an index gives random access.
  case lz4
  /// The tar as it is.
  case none

  public var fileExtension: String {
    switch self {
    case .lz4: "tar.lz4"
    case .none: "tar"
    }
  }
}

/// A published shard, as a manifest lists it.
public struct ShardSummary: Codable, Sendable, Equatable {
  /// Its path relative to the manifest, or its name when fresh from a ``ShardWriter``.
  public var file: String
  public var pairs: Int
  /// The size of the file.
  public var bytes: Int
  /// Of the file, 64 hexadecimal digits.
  public var sha256: String
  /// The Parquet table with a row for each of its pairs, relative to the manifest; nil without one.
  public var table: String?

  public init(file: String, pairs: Int, bytes: Int, sha256: String, table: String? = nil) {
    self.file = file
    self.pairs = pairs
    self.bytes = bytes
    self.sha256 = sha256
    self.table = table
  }
}
