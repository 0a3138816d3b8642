import DurableFiles

/// The file `NAME.idx` beside a shard, looked at and made again.
public enum ShardIndexFile {
  public enum State: Sendable, Equatable {
    /// It says what a scan of the shard finds.
    case current
    case missing
    /// It is no index: cut, or its checksum does not fit.
    case damaged
    /// It is the index of another shard, or of an older state of this one.
    case stale
  }

  /// Where the index of the shard at `path` stands.
  public static func path(ofShard path: String) -> String { ShardIndex.path(beside: path) }

  /// Compares the index of a shard with a scan of it.
  ///
  /// Reads the shard once, in memory of its index and 2 MiB.
  ///
  /// - Throws: What is wrong with the shard itself.
  public static func state(ofShard path: String) throws(ShardError) -> State {
    let place = ShardIndex.path(beside: path)
    let scanned = try scan(path)
    guard DurableFile.exists(place) else { return .missing }
    let bytes = try file(place) { () throws(FileError) in try DurableFile.read(place) }
    guard let index = ShardIndex.decode(bytes) else { return .damaged }
    return index == scanned ? .current : .stale
  }

  /// Writes the index of a shard by a scan of it.
  ///
  /// - Throws: What is wrong with the shard itself, or `file`.
  public static func rebuild(ofShard path: String) throws(ShardError) {
    let place = ShardIndex.path(beside: path)
    let bytes = try scan(path).encoded()
    try file(place) { () throws(FileError) in try DurableFile.write(bytes, to: place) }
  }

  private static func scan(_ path: String) throws(ShardError) -> ShardIndex {
    try ShardScan.index(of: try ShardFile(path))
  }
}
