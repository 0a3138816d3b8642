import DurableFiles
import PairDataset
import PipelineCore

/// The files that tell open_clip the pairs of each shard: `sizes.json`, or `__len__` with their sum.
///
/// Source: open_clip_train/data.py, `get_dataset_size`.
struct SizesFiles {
  /// The shards of a manifest, by paths relative to `root`.
  let shards: [ShardSummary]
  let root: String
  /// Where the shards are, below `root`; empty where they are in it.
  let folder: String

  /// - Parameters:
  ///   - shards: As the manifest lists them.
  ///   - root: The manifest's folder.
  ///   - old: The shards that it listed before, whose folder counts where none is left.
  init(shards: [ShardSummary], root: String, before old: [ShardSummary] = []) {
    self.shards = shards
    self.root = root
    let one = shards.first ?? old.first
    folder = one?.file.split(separator: "/").dropLast().joined(separator: "/") ?? ""
  }

  /// The text of a `sizes.json`.
  static func text(_ shards: [ShardSummary]) -> String {
    let lines = shards.map { "  \(JSONValue.string(name($0)).serialized): \($0.pairs)" }
    return lines.isEmpty ? "{}\n" : "{\n" + lines.joined(separator: ",\n") + "\n}\n"
  }

  private static func name(_ shard: ShardSummary) -> String {
    String(shard.file.split(separator: "/").last ?? "")
  }

  /// All that there may be, with what should be in them, by paths relative to `root`.
  ///
  /// They stand beside the shards that the manifest lists, or beside the manifest.
  private var all: [(file: String, text: String)] {
    let places = folder.isEmpty ? [""] : ["", folder + "/"]
    return places.flatMap { place in
      [
        (place + "sizes.json", Self.text(shards)),
        (place + "__len__", "\(shards.reduce(0) { $0 + $1.pairs })\n"),
      ]
    }
  }

  private func exists(_ file: String) -> Bool { DurableFile.exists("\(root)/\(file)") }

  /// Those that are missing or say something else, by paths relative to `root`.
  ///
  /// - Parameter isImg2dataset: Whether the chunks' shards are of img2dataset's layout, which decides
  ///   where a run writes them; nil where that is not known, and then none is missed.
  /// - Returns: Paths.
  /// - Throws: What the disk refuses.
  func wrong(isImg2dataset: Bool?) throws -> [String] {
    var needed: Set<String> = []
    if let isImg2dataset, !shards.isEmpty {
      needed =
        isImg2dataset && folder == "shards"
        ? ["sizes.json", "shards/__len__"] : [folder + "/sizes.json"]
    }
    return try all.filter { file, text in
      guard exists(file) else { return needed.contains(file) }
      return try DurableFile.read("\(root)/\(file)") != Array(text.utf8)
    }.map(\.file)
  }

  /// Brings those that there are up to date.
  func update() throws {
    for (file, text) in all where exists(file) {
      try DurableFile.write(text, to: "\(root)/\(file)")
    }
  }
}
