import ContentHashing
import Deduplication
import DurableFiles
import PipelineCore

/// The files that a recipe's options name, in the values as ``PipelineRecipe/resolved`` has them.
enum NamedFiles {
  /// Options whose value is a path that a later command needs.
  private static let paths: Set<String> = [
    "model", "model_config", "hash_blocklist", "download.ca_file",
  ]
  /// Options whose items are paths.
  private static let pathLists: Set<String> = [
    "duplicates.against", "duplicates.evaluation_sets", "scores",
  ]
  /// Options whose items `@PATH` are files of hosts.
  private static let lists: Set<String> = ["allow_hosts", "deny_hosts"]
  /// Files that go by the last part of their path, so that they may move.
  private static let movable: Set<String> = [
    "input", "model", "hash_blocklist", "download.ca_file", "filter.plan",
  ]

  /// An option's value for a later command in another folder, as `path` writes each path.
  static func value(_ value: String, of key: String, path: (String) -> String) -> String {
    if paths.contains(key) { return path(value) }
    // It may be a bundled plan's name.
    if key == "filter.plan" { return DurableFile.exists(value) ? path(value) : value }
    if pathLists.contains(key) {
      return "[" + items(value).map { path(String($0)) }.joined(separator: ", ") + "]"
    }
    guard lists.contains(key) else { return value }
    return "["
      + items(value).map { $0.hasPrefix("@") ? "@" + path(String($0.dropFirst())) : String($0) }
      .joined(separator: ", ") + "]"
  }

  /// What of an option's value must stay as it is for a run to be resumed.
  static func identity(_ value: String, of key: String) -> String {
    if movable.contains(key) { return lastPart(value) }
    return lists.contains(key) || pathLists.contains(key)
      ? Self.value(value, of: key, path: lastPart) : value
  }

  /// SHA-256 of the files whose content decides what is asked for and kept, by option.
  ///
  /// - Throws: ``RecipeError`` where one cannot be read.
  static func contents(
    of settings: [(key: String, value: String)]
  ) throws(RecipeError) -> [(key: String, value: String)] {
    var pairs: [(key: String, value: String)] = []
    for (key, value) in settings {
      if key == "duplicates.against", value != "[]" {
        let hashes = try EvaluationIndex.identities(items(value).map(String.init))
        pairs.append(("\(key) (content)", digest(hashes)))
      }
      if key == "duplicates.evaluation_sets", value != "[]" {
        let sets = try EvaluationSet.identities(items(value).map(String.init))
        pairs.append(("\(key) (content)", digest(sets)))
      }
      var files: [String] = []
      if ["hash_blocklist", "download.ca_file"].contains(key), value != "null" { files = [value] }
      if lists.contains(key) { files = items(value).filter { $0.hasPrefix("@") }.map(String.init) }
      if files.isEmpty { continue }
      var hash = ContentHash()
      for file in files { hash.update(Array(try sha256(file, option: key).utf8)) }
      pairs.append(("\(key) (SHA-256)", hash.hexDigest()))
    }
    return pairs
  }

  private static func digest(_ words: [String]) -> String {
    ContentHash.sha256Hex(Array(words.joined(separator: "\n").utf8))
  }

  private static func sha256(_ file: String, option: String) throws(RecipeError) -> String {
    let path = file.hasPrefix("@") ? String(file.dropFirst()) : file
    var hash = ContentHash()
    var offset = 0
    do {
      while true {
        let piece = try DurableFile.read(path, count: 1 << 20, at: offset)
        if piece.isEmpty { return hash.hexDigest() }
        hash.update(piece)
        offset += piece.count
      }
    } catch {
      var words = "\(error)"
      if words.hasSuffix(".") { words.removeLast() }
      throw .badValue(key: option, value: file, expected: "a file that can be read: \(words)")
    }
  }

  /// The items of a list's value.
  private static func items(_ value: String) -> [Substring] {
    value.dropFirst().dropLast().split(separator: ",").map { $0.drop { $0 == " " } }
  }

  private static func lastPart(_ path: String) -> String {
    String(path.split(separator: "/").last ?? "")
  }
}
