public import DurableFiles

/// What is wrong with a shard, where, and what to do next.
public struct ShardError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Reason: Sendable, Equatable {
    /// The system refused an operation.
    case file(FileError)
    /// The data ends early: so many bytes were needed, so many were there.
    case truncated(needed: Int, found: Int)
    /// A tar header with a wrong checksum or an impossible field.
    case badHeader(String)
    /// A frame of LZ4, gzip or zstd that does not decode or does not match its checksum, in the library's words.
    case badFrame(String)
    /// The index says that this pair is here; it is not.
    case staleIndex(key: String)
    /// A member larger than is ever read into memory.
    case memberTooLarge(name: String, bytes: Int, limit: Int)
    /// A member whose name would lead others astray when they unpack it, and how.
    case unsafeName(String, String)
    /// A kind of archive or member that is recognised and not read.
    case unsupported(String)
    /// More samples, or members of one sample, than are read: how many are the limit.
    case tooMany(String, limit: Int)
    /// Two samples of one name, of which readers of WebDataset make one or two.
    case repeatedKey(String)
    /// A pair that cannot be written: its key or extension breaks WebDataset's rules.
    case badPair(key: String, String)
    /// A manifest that is not one.
    case badManifest(String)
  }

  public var reason: Reason
  /// The path of the file.
  public var shard: String
  /// Bytes into the tar, decompressed; for a bad frame, bytes into the file.
  public var offset: Int

  public init(_ reason: Reason, shard: String, offset: Int = 0) {
    self.reason = reason
    self.shard = shard
    self.offset = offset
  }

  public var description: String {
    let place = "\(shard)@\(offset)"
    return switch reason {
    case .file(let error): error.description
    case .truncated(let needed, let found):
      "\(place): \(needed) bytes are needed and \(found) are there. The shard is cut: copy or "
        + "make it again."
    case .badHeader(let detail):
      "\(place): \(detail). This is no tar, or a damaged one: copy or make it again."
    case .badFrame(let detail):
      "\(place): the compressed frame is damaged (\(detail)): copy or make the shard again."
    case .staleIndex(let key):
      "\(place): pair \(key) is not where the index says. Delete the .idx beside the shard: "
        + "without one the shard is scanned."
    case .memberTooLarge(let name, let bytes, let limit):
      "\(place): member \(name) declares \(bytes) bytes, more than the limit of \(limit). Take it "
        + "out of the shard."
    case .unsafeName(let name, let danger):
      "\(place): the name \(name.debugDescription) of a member \(danger). Do not unpack this shard; "
        + "make it again without that member."
    case .unsupported(let what):
      "\(place): \(what) is not read. Make a plain tar of it, or one in LZ4, gzip or zstd."
    case .tooMany(let what, let limit):
      "\(place): more than \(limit) \(what). Split the shard."
    case .repeatedKey(let key):
      "\(place): a second sample is called \(key.debugDescription). Make the shard again with names of "
        + "their own."
    case .badPair(let key, let detail):
      "\(shard): pair \"\(key)\" cannot be written: \(detail)."
    case .badManifest(let detail):
      "\(shard): not a dataset manifest of version \(DatasetManifest.currentVersion): \(detail). "
        + "Make it again with pairloom run."
    }
  }
}

/// Runs a file operation and gives its error as a ``ShardError``.
func file<T>(_ path: String, _ body: () throws(FileError) -> T) throws(ShardError) -> T {
  do { return try body() } catch { throw ShardError(.file(error), shard: path) }
}
