import DurableFiles
import Glibc
import PairDataset
import PipelineCore

/// The folder of an output that grows, and what stands in it.
struct EmbeddingWork: Sendable {
  let path: String

  /// Says that all is there, and what it was made from.
  var manifest: String { "\(path)/embeddings.json" }
  /// Where the shards lie, for those who look for pictures; no part of what is the same everywhere.
  var sources: String { "\(path)/sources.json" }
  var work: String { "\(path)/work" }
  private var plan: String { "\(work)/plan.json" }

  func chunk(_ number: Int) -> String { "\(work)/chunk_\(RunFolder.digits(number)).parquet" }

  func claim(chunk number: Int) throws -> WorkClaim? {
    try claim("chunk_\(RunFolder.digits(number)).lock")
  }

  func claim(part number: Int) throws -> WorkClaim? { try claim("part_\(number).lock") }

  func claimFinish() throws -> WorkClaim? { try claim("finish.lock") }

  /// Nil where another process has it, or where all is done.
  private func claim(_ name: String) throws -> WorkClaim? {
    do throws(FileError) {
      return try WorkClaim("\(work)/\(name)")
    } catch {
      // The work is over, and its folder gone.
      guard error.errorNumber == ENOENT else { throw error }
      return nil
    }
  }

  /// Makes the folder, or finds what is there already, and counts the pairs.
  ///
  /// - Throws: ``ShardEmbeddingError`` where it is somebody else's, or of other shards or options.
  func open(
    _ shards: [String], _ settings: EmbeddingSettings, partRows: Int
  ) throws -> EmbeddingPlan {
    if !DurableFile.exists(plan) {
      guard try DurableFile.names(in: path).allSatisfy({ $0 == "work" || $0 == "sources.json" })
      else { throw ShardEmbeddingError.outputExists(path) }
      try DurableFile.makeFolder(work)
      let counts = try shards.map { try ShardReader(path: $0).count }
      guard counts.contains(where: { $0 > 0 }) else { throw ShardEmbeddingError.noPairs }
      // Another process may do the same; both write the same.
      try DurableFile.write(
        JSONValue.object([
          .init("settings", settings.json), .init("pairs", .array(counts.map { .int($0) })),
        ]).serialized + "\n", to: plan)
    }
    let json = try JSONValue.parse(try DurableFile.read(plan))
    try settings.require(json["settings"], at: path)
    guard case .array(let counts)? = json["pairs"], counts.count == shards.count else {
      throw ShardEmbeddingError.damagedWork(path: plan, problem: "it does not count the pairs")
    }
    return EmbeddingPlan(shards: shards, pairs: counts.compactMap(\.integer), partRows: partRows)
  }

  /// Whether a part is there whole: its metadata comes last.
  func isPublished(part number: Int) -> Bool { DurableFile.exists(file(number, .metadata)) }

  /// The files of a part.
  enum Kind: String, CaseIterable {
    case image = "img_emb"
    case text = "text_emb"
    case metadata, scores, undecoded, vectors
  }

  func folder(_ kind: Kind) -> String { "\(path)/\(kind.rawValue)" }

  func file(_ part: Int, _ kind: Kind) -> String {
    let ending = kind == .image || kind == .text ? "npy" : "parquet"
    return "\(folder(kind))/\(kind.rawValue)_\(part).\(ending)"
  }

  /// Removes what killed processes have left and what the output was made from, once the manifest is there.
  func clean() throws {
    for kind in Kind.allCases { try DurableFile.removeTemporaries(in: folder(kind)) }
    try DurableFile.removeTemporaries(in: path)
    try removeWork()
  }

  private func removeWork() throws {
    for attempt in 1...10 {
      for name in try DurableFile.names(in: work) { try DurableFile.remove("\(work)/\(name)") }
      do throws(FileError) {
        return try DurableFile.removeFolder(work)
      } catch {
        // Another process has just tried for a claim in it; it will see the manifest next.
        guard error.errorNumber == ENOTEMPTY, attempt < 10 else { throw error }
      }
    }
  }
}
