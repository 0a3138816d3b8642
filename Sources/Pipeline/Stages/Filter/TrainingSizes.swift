import DurableFiles
import PairDataset
import PipelineCore

/// The pairs of each shard, where open_clip looks for them.
///
/// That program adds up `sizes.json` beside the shards it is given, `{"00000.tar": n, …}`, or reads
/// their sum in `__len__` (open_clip_train/data.py). img2dataset takes every `*.json` of its folder
/// for the statistics of a shard and stops at one whose name does not begin with a number (main.py):
/// beside shards of its layout stands `__len__` alone, and `sizes.json` beside `dataset.json`.
enum TrainingSizes {
  /// Publishes the sizes of `shards`, whose paths are relative to the run's folder.
  ///
  /// - Parameters:
  ///   - shards: All that a manifest lists, of one folder; where there is none there are no sizes.
  ///   - run: The run's folder.
  ///   - isImg2dataset: Whether the chunks' shards are of img2dataset's layout.
  /// - Throws: ``FileError`` where they cannot be written.
  static func write(_ shards: [ShardSummary], in run: RunFolder, isImg2dataset: Bool)
    throws(FileError)
  {
    guard let slash = shards.first?.file.lastIndex(of: "/"),
      let folder = shards.first?.file[..<slash]
    else {
      // A job that is done again may keep nothing where it kept pairs before.
      for file in ["filtered/sizes.json", "shards/sizes.json", "shards/__len__", "sizes.json"] {
        try DurableFile.remove("\(run.path)/\(file)")
      }
      return
    }
    let lines = shards.map { shard in
      "  " + JSONValue.string(String(shard.file[shard.file.index(after: slash)...])).serialized
        + ": \(shard.pairs)"
    }
    let sizes = "{\n" + lines.joined(separator: ",\n") + "\n}\n"
    guard isImg2dataset, folder == "shards" else {
      try DurableFile.write(sizes, to: "\(run.path)/\(folder)/sizes.json")
      return
    }
    try DurableFile.write(
      "\(shards.reduce(0) { $0 + $1.pairs })\n", to: "\(run.path)/\(folder)/__len__")
    try DurableFile.write(sizes, to: "\(run.path)/sizes.json")
  }
}
