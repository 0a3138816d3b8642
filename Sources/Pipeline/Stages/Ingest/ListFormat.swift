/// The kinds of list, told apart by the file's name.
public enum ListFormat: String, Sendable, CaseIterable {
  /// A URL a line, nothing quoted.
  case txt
  /// RFC 4180 with a header.
  case csv
  /// The same with tabs.
  case tsv
  /// One array of objects, one object of columns, or objects one after the other.
  case json
  /// An object a line.
  case jsonl
  case parquet
  /// A WebDataset shard, whose pictures are there already.
  case tar

  /// The format called `name`; `ndjson` is `jsonl`, `webdataset` is `tar`.
  public init?(name: String) {
    switch name.lowercased() {
    case "ndjson": self = .jsonl
    case "webdataset": self = .tar
    case let word:
      guard let format = Self(rawValue: word) else { return nil }
      self = format
    }
  }

  /// The format of `path` by its ending, that of a compression aside; nil for an unknown one.
  init?(ofFileNamed path: String) {
    var parts = path.lowercased().split(separator: ".", omittingEmptySubsequences: false)
    if let last = parts.last, ["gz", "zst", "lz4"].contains(last) { parts.removeLast() }
    guard parts.count > 1, let ending = parts.last, ending != "webdataset" else { return nil }
    self.init(name: String(ending))
  }

  /// The format of `path`, by its name.
  ///
  /// - Throws: ``ListError/unknownFormat(path:)``.
  public init(path: String) throws(ListError) {
    guard let format = ListFormat(ofFileNamed: path) else { throw .unknownFormat(path: path) }
    self = format
  }
}
