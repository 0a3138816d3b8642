import BatchLoading
import Yams

/// The manifest's `data` and `loader_threads`: where pairs come from and who reads them.
enum DataSection {
  /// The sources: a path, or a list of paths and of `{path: …, weight: 2.0}`.
  static func sources(_ reader: ManifestReader) throws(ManifestError) -> [DataSource] {
    guard let node = reader.node("data") else {
      throw reader.error("data", "is missing: give --set data=DIR/dataset.json")
    }
    if let path = node.scalar?.string { return [DataSource(path: path)] }
    guard let list = node.sequence else {
      throw reader.error(
        "data", "is neither a path nor a list; a pattern that begins with a brace needs quotes")
    }
    guard !list.isEmpty else { throw reader.error("data", "is an empty list") }
    var sources: [DataSource] = []
    for (number, item) in list.enumerated() {
      if let path = item.scalar?.string {
        sources.append(DataSource(path: path))
        continue
      }
      let section = try ManifestReader(
        item, path: "data[\(number)]", manifest: reader.manifest)
      guard let path = try section.string("path") else {
        throw section.error("path", "is missing")
      }
      let weight = try section.number("weight", in: DataSource.weights) ?? 1
      try section.finish()
      sources.append(DataSource(path: path, weight: weight))
    }
    var paths: Set<String> = []
    for source in sources where !paths.insert(source.path).inserted {
      throw reader.error("data", "names \(source.path) twice; give it a weight in place of that")
    }
    return sources
  }

  /// Whether pictures become RGB before they are cropped: `augmentation.convert`, which is `first` or `last`.
  ///
  /// open_clip's loader of WebDatasets decodes to RGB, then crops; its transforms alone convert last.
  static func convertsFirst(_ augmentation: ManifestReader?) throws(ManifestError) -> Bool {
    switch try augmentation?.string("convert") {
    case nil, "first": return true
    case "last": return false
    case let other?:
      throw ManifestError(
        manifest: augmentation?.manifest ?? "", key: "augmentation.convert",
        problem: "'\(other)' is neither first nor last")
    }
  }

  /// Threads of one rank that read and decode; 0 chooses.
  static func loaderThreads(_ reader: ManifestReader) throws(ManifestError) -> Int {
    try reader.integer("loader_threads", atLeast: 0) ?? 0
  }
}
