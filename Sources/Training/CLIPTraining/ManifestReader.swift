import Yams

/// What is wrong with a training manifest: which key, and what would be right.
public struct ManifestError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file.
  public var manifest: String
  /// The key with its parents, such as `optimizer.learning_rate`; empty for the file as a whole.
  public var key: String
  public var problem: String

  public init(manifest: String, key: String, problem: String) {
    self.manifest = manifest
    self.key = key
    self.problem = problem
  }

  public var description: String {
    key.isEmpty ? "\(manifest): \(problem)" : "\(manifest): \(key): \(problem)"
  }
}

/// Reads one mapping of a manifest key by key, and refuses what nobody asked for.
final class ManifestReader {
  let manifest: String
  private let path: String
  private let mapping: Node.Mapping
  private var asked: [String] = []

  init(_ node: Node, path: String, manifest: String) throws(ManifestError) {
    guard let mapping = node.mapping else {
      throw ManifestError(manifest: manifest, key: path, problem: "is not a mapping of keys")
    }
    self.manifest = manifest
    self.path = path
    self.mapping = mapping
  }

  /// The document with `key.sub=value` settings put in place.
  static func document(_ text: String, overrides: [String], manifest: String)
    throws(ManifestError) -> Node
  {
    do {
      var root = try Yams.compose(yaml: text) ?? Node.mapping(Node.Mapping([]))
      for override in overrides {
        guard let equals = override.firstIndex(of: "=") else {
          throw ManifestError(
            manifest: "--set \(override)", key: "", problem: "give it as key=value")
        }
        let value =
          try Yams.compose(yaml: String(override[override.index(after: equals)...])) ?? Node("")
        let keys = override[..<equals].split(separator: ".").map(String.init)
        root = setting(root, keys[...], value)
      }
      return root
    } catch let error as ManifestError {
      throw error
    } catch {
      throw ManifestError(manifest: manifest, key: "", problem: "is no YAML: \(error)")
    }
  }

  private static func setting(_ node: Node?, _ keys: ArraySlice<String>, _ value: Node) -> Node {
    guard let key = keys.first else { return value }
    var mapping = node?.mapping ?? Node.Mapping([])
    mapping[Node(key)] = setting(mapping[Node(key)], keys.dropFirst(), value)
    return .mapping(mapping)
  }

  /// The node of a key; nil when it is absent or null.
  func node(_ key: String) -> Node? {
    asked.append(key)
    guard let node = mapping[Node(key)], node.null == nil else { return nil }
    return node
  }

  func error(_ key: String, _ problem: String) -> ManifestError {
    ManifestError(
      manifest: manifest, key: path.isEmpty ? key : "\(path).\(key)", problem: problem)
  }

  func section(_ key: String) throws(ManifestError) -> ManifestReader? {
    guard let node = node(key) else { return nil }
    return try ManifestReader(
      node, path: path.isEmpty ? key : "\(path).\(key)", manifest: manifest)
  }

  func string(_ key: String) throws(ManifestError) -> String? {
    guard let node = node(key) else { return nil }
    guard let scalar = node.scalar else { throw error(key, "is not a text") }
    return scalar.string
  }

  func flag(_ key: String) throws(ManifestError) -> Bool? {
    guard let node = node(key) else { return nil }
    guard let value = node.bool else { throw error(key, "is neither true nor false") }
    return value
  }

  /// One of the names of an enumeration.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: String
  ) throws(ManifestError) -> Choice? {
    guard let name = try string(key) else { return nil }
    guard let value = Choice(rawValue: name) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw error(key, "'\(name)' is none of \(known)")
    }
    return value
  }

  func integer(_ key: String, atLeast least: Int) throws(ManifestError) -> Int? {
    guard let node = node(key) else { return nil }
    guard let value = node.int, value >= least else {
      throw error(key, "is not an integer of at least \(least)")
    }
    return value
  }

  func number(_ key: String, in range: ClosedRange<Double>) throws(ManifestError) -> Double? {
    guard let node = node(key) else { return nil }
    guard let value = node.float, range.contains(value) else {
      throw error(key, "is not a number in \(range.lowerBound) … \(range.upperBound)")
    }
    return value
  }

  func numbers(_ key: String, count: Int) throws(ManifestError) -> [Double]? {
    guard let node = node(key) else { return nil }
    guard let values = node.sequence?.compactMap(\.float), values.count == count,
      node.sequence?.count == count
    else { throw error(key, "is not a list of \(count) numbers") }
    return values
  }

  /// Refuses the first key that was never asked for, by name.
  func finish() throws(ManifestError) {
    for key in mapping.keys.compactMap(\.string) where !asked.contains(key) {
      throw error(key, "is not a known key; known here: \(asked.joined(separator: ", "))")
    }
  }
}
