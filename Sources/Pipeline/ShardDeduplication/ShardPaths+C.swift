import DurableFiles
import Glibc
import PairDataset

/// Finds the shards that a person names.
public enum ShardPaths {
  private static let endings = [".tar", ".tar.lz4", ".tar.gz", ".tgz", ".tar.zst"]
  /// Files that a range of numbers may stand for.
  private static let mostFiles = 1_000_000

  /// The shards in their order.
  ///
  /// A file is taken as it is. A folder gives the shards of its `dataset.json`, where it has one, else its
  /// tars by name. A pattern of the shell gives its matches by name, WebDataset's `{000..123}` each of its
  /// files.
  ///
  /// - Throws: ``ShardDeduplicationError/noShards(_:)`` for what gives none; `FileError`; `ShardError`
  ///   for a damaged manifest.
  public static func find(_ inputs: [String]) throws -> [String] {
    try inputs.flatMap { input in
      let found = try find(input)
      guard !found.isEmpty else { throw ShardDeduplicationError.noShards(input) }
      return found
    }
  }

  /// The tars that lie in a folder, by name.
  static func tars(in folder: String) throws -> [String] {
    try DurableFile.names(in: folder)
      .filter { name in endings.contains { name.hasSuffix($0) } }.map { "\(folder)/\($0)" }
  }

  private static func find(_ input: String) throws -> [String] {
    if DurableFile.isFolder(input) {
      let folder = input.hasSuffix("/") ? String(input.dropLast()) : input
      let manifest = "\(folder)/dataset.json"
      if DurableFile.exists(manifest) {
        return try DatasetManifest.read(manifest).shards.map { "\(folder)/\($0.file)" }
      }
      return try tars(in: folder)
    }
    if DurableFile.exists(input) { return [input] }
    if let names = try expanded(input) { return names }
    return input.contains(where: { "*?[{".contains($0) }) ? try matches(input) : [input]
  }

  /// The files of a `{FIRST..LAST}`; nil where there is none.
  private static func expanded(_ text: String) throws -> [String]? {
    guard let found = text.firstMatch(of: /\{([0-9]{1,18})\.\.([0-9]{1,18})\}/),
      let first = Int(found.1), let last = Int(found.2), first <= last
    else { return nil }
    guard last - first < mostFiles else { throw ShardDeduplicationError.noShards(text) }
    let isPadded = found.1.hasPrefix("0") || found.2.hasPrefix("0")
    let width = isPadded ? max(found.1.count, found.2.count) : 0
    return try (first...last).flatMap { number in
      let digits = String(number)
      let zeros = String(repeating: "0", count: max(0, width - digits.count))
      return try find(text.replacing(found.0, with: zeros + digits, maxReplacements: 1))
    }
  }

  private static func matches(_ pattern: String) throws -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    let code = unsafe glob(pattern, GLOB_BRACE | GLOB_NOSORT | GLOB_ERR, nil, &found)
    if code == GLOB_NOMATCH || (code == GLOB_ABORTED && errno == ENOENT) { return [] }
    guard code == 0 else {
      // Half a list would pass for the whole.
      let number = code == GLOB_NOSPACE ? ENOMEM : errno
      throw FileError(operation: "list what matches", path: pattern, errorNumber: number)
    }
    var paths: [String] = []
    for index in 0..<Int(unsafe found.gl_pathc) {
      // Safe: glob(3) fills gl_pathv with gl_pathc strings, freed by globfree.
      if let path = unsafe found.gl_pathv[index] { paths.append(unsafe String(cString: path)) }
    }
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
