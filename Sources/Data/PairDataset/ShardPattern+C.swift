import DurableFiles
import Glibc

/// Finds the shards that a person names.
public enum ShardPattern {
  private static let endings = [".tar", ".tar.lz4", ".tar.gz", ".tgz", ".tar.zst"]
  /// Files that a range of numbers may stand for.
  private static let mostFiles = 1_000_000

  /// The files of a path, a folder or a pattern, in their order; a path without a pattern gives itself.
  ///
  /// A folder gives its tars by name. A pattern of the shell gives its matches by name, WebDataset's
  /// `{000..123}` each of its files, whether it is there or not.
  ///
  /// - Returns: Nothing where no file fits.
  /// - Throws: `FileError`; ``ShardError`` for a pattern of too many files.
  public static func files(_ input: String) throws -> [String] {
    if DurableFile.isFolder(input) {
      return try tars(in: input.hasSuffix("/") ? String(input.dropLast()) : input)
    }
    if DurableFile.exists(input) { return [input] }
    if let names = try expanded(input) { return names }
    return input.contains(where: { "*?[{".contains($0) }) ? try matches(input) : [input]
  }

  /// The tars that lie in a folder, by name.
  public static func tars(in folder: String) throws -> [String] {
    try DurableFile.names(in: folder)
      .filter { name in endings.contains { name.hasSuffix($0) } }.map { "\(folder)/\($0)" }
  }

  /// The files of a `{FIRST..LAST}`; nil where there is none.
  private static func expanded(_ text: String) throws -> [String]? {
    guard let found = text.firstMatch(of: /\{([0-9]{1,18})\.\.([0-9]{1,18})\}/),
      let first = Int(found.1), let last = Int(found.2), first <= last
    else { return nil }
    guard last - first < mostFiles else {
      throw ShardError(.tooMany("files of a pattern", limit: mostFiles), shard: text)
    }
    let isPadded = found.1.hasPrefix("0") || found.2.hasPrefix("0")
    let width = isPadded ? max(found.1.count, found.2.count) : 0
    return try (first...last).flatMap { number in
      let digits = String(number)
      let zeros = String(repeating: "0", count: max(0, width - digits.count))
      return try files(text.replacing(found.0, with: zeros + digits, maxReplacements: 1))
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
