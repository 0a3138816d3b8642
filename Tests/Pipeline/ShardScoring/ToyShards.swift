import Foundation
import PairDataset
import PipelineCore

/// A folder of small shards, and scorers to try them with; it goes with its owner.
final class ToyShards {
  let folder = NSTemporaryDirectory() + "shard-scoring-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: folder) } catch { print("left: \(folder)") }
  }

  static func pair(_ number: Int, hasText: Bool = true) -> Pair {
    let url = "http://h.test/\(number)"
    return Pair(
      key: "k\(number)", caption: hasText ? "caption \(number)" : "",
      image: [UInt8(number % 256), UInt8(number / 256 % 256)],
      metadata: Array("{\"url\":\"\(url)\"}".utf8), hasText: hasText)
  }

  /// A shard of the pairs of these numbers.
  func shard(_ name: String, _ pairs: [Pair], in sub: String = "data") throws -> String {
    try FileManager.default.createDirectory(
      atPath: "\(folder)/\(sub)", withIntermediateDirectories: true)
    let writer = try ShardWriter(folder: "\(folder)/\(sub)", name: name, compression: .none)
    for pair in pairs { try writer.append(pair) }
    return "\(folder)/\(sub)/" + (try writer.finish()).file
  }

  /// `count` shards of `pairs` pairs each.
  func shards(_ count: Int, pairs: Int) throws -> [String] {
    try (0..<count).map { shard in
      try self.shard(
        RunFolder.digits(shard), (0..<pairs).map { Self.pair(shard * pairs + $0) })
    }
  }

  /// A foreign WebDataset tar, as `tar` writes it.
  func foreignShard(_ name: String, _ files: [(String, [UInt8])]) throws -> String {
    let source = "\(folder)/foreign-\(name)"
    try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
    for (file, bytes) in files {
      try Data(bytes).write(to: URL(fileURLWithPath: "\(source)/\(file)"))
    }
    let path = "\(folder)/\(name).tar"
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = ["tar", "-cf", path, "-C", source] + files.map(\.0)
    try tar.run()
    tar.waitUntilExit()
    return path
  }

  /// The bytes of a table, or the files of a folder.
  static func contents(_ path: String) throws -> [String: Data] {
    guard path.hasSuffix(".parquet") else { return try files(path) }
    return ["": try Data(contentsOf: URL(fileURLWithPath: path))]
  }

  /// Every file of a folder, hidden ones too: name → bytes.
  static func files(_ folder: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
      files[name] =
        isFolder.boolValue
        ? Data() : try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    return files
  }
}

/// Scores a pair by the bytes of its picture; pictures that begin with 255 do not decode.
final class ByteScorer: PairScorer {
  let name: String
  let provenance: [String: String]
  let facts = ["precision": "bytes"]
  private let delay: Duration
  private let failAt: Int?
  private let calls = Calls()

  init(
    _ name: String = "bytes", weights: String = "w1", delay: Duration = .zero, failAt: Int? = nil
  ) {
    self.name = name
    provenance = ["weights": weights]
    self.delay = delay
    self.failAt = failAt
  }

  /// Pairs that were asked for.
  var asked: Int { get async { await calls.pairs } }

  struct Killed: Error {}

  static func score(_ pair: Pair) -> Float {
    Float(pair.image[0]) / 512 + Float(pair.image.count > 1 ? pair.image[1] : 0) / 1_024
  }

  func scores(of pairs: [Pair]) async throws -> [Float] { pairs.map(Self.score) }

  func outcomes(of pairs: [Pair]) async throws -> [PairScore] {
    try await Task.sleep(for: delay)
    let before = await calls.add(pairs.count)
    if let failAt, before + pairs.count > failAt { throw Killed() }
    return pairs.map {
      $0.image[0] == 255 ? PairScore(.undecodable("begins with 255")) : PairScore(Self.score($0))
    }
  }
}

private actor Calls {
  private(set) var pairs = 0

  /// The pairs before.
  func add(_ count: Int) -> Int {
    pairs += count
    return pairs - count
  }
}
