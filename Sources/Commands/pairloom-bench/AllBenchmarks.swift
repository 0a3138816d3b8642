import ArgumentParser
import DurableFiles
import ImageCodec
import PairDataset
import SceneWorld

/// `all`: every benchmark on inputs that it makes itself, in about a minute.
struct AllBenchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "all",
    abstract: "Run every benchmark, small, on generated pictures.",
    discussion:
      "Each in a process of its own, so that memory and caches of one do not help another.")

  /// Generated pictures, of a size that is common on the web.
  private static let pictures = 100
  private static let side = 512
  /// How often each picture comes in the shard, so that a round of reading takes long enough.
  private static let copies = 10

  private static let hashes = 1_000_000

  func run() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let inputs = "\(folder.path)/pictures"
    let shards = try Self.makeInputs(pictures: inputs, shards: folder.path)
    let hashes = "\(folder.path)/hashes.bin"
    try HashFile.write(HashFile.uniform(count: Self.hashes, radius: 6, seed: 1), to: hashes)
    let model = ["--model", "ViT-S-32-alt"]
    for arguments in [
      ["decode", inputs],
      ["read-shards"] + shards,
      ["read-shards", "--decode"] + shards,
      ["score", "--pairs", "64", "--batches", "32"] + model,
      ["train-step", "--batch", "16", "--steps", "5"] + model,
      ["allreduce", "--mib", "0.0625,1,16"],
      ["ledger", "--jobs", "2000", "--chunks", "4000", "--folder", folder.path],
      ["transfers"],
      ["manners"],
      ["near-duplicates", hashes],
      ["picture-index", "--entries", "200000", "--folder", folder.path],
      ["captions", "--rows", "50000"],
      ["look-alikes", "--pictures", "4000"],
      ["tokenize"],
    ] { try ChildProcess(arguments).requireSuccess() }
  }

  /// Writes scenes as JPEG files, and as the pipeline would keep them into a shard.
  private static func makeInputs(pictures folder: String, shards: String) throws -> [String] {
    try DurableFile.makeFolder(folder)
    let writer = try ShardWriter(folder: shards, name: "00000", compression: .lz4)
    for index in 0..<pictures {
      let scene = SceneWorld.scene(seed: 1, index: index)
      let image = SceneWorld.render(scene, size: side, variation: UInt64(index))
      let bytes = try ImageEncoder.jpeg(image, quality: 90)
      try DurableFile.write(bytes, to: "\(folder)/\(index).jpg")
      let kept = try ImageEncoder.jpeg(image.resized(mode: .centerCrop, size: 256), quality: 95)
      for copy in 0..<copies {
        try writer.append(
          Pair(
            key: "\(index)-\(copy)", caption: scene.canonicalCaption, image: kept,
            metadata: Array("{}".utf8)))
      }
    }
    return ["\(shards)/\(try writer.finish().file)"]
  }
}
