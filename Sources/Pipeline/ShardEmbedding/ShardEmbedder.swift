import DurableFiles
import EmbeddingFiles
import PairDataset
public import PipelineCore
import WorkerThreads

/// How embeddings are written.
public struct ShardEmbeddingOptions: Sendable {
  /// Rows of a part, a multiple of 512.
  public let partRows: Int
  /// Whether the vectors are written as Parquet, too.
  public var writesParquet: Bool

  /// - Parameters:
  ///   - partRows: Rounded up to a multiple of 512.
  ///   - writesParquet: Whether the vectors are written as Parquet, too.
  public init(partRows: Int = 102_400, writesParquet: Bool = false) {
    precondition(partRows > 0, "parts of \(partRows) rows")
    let chunk = EmbeddingPlan.chunkRows
    self.partRows = (partRows + chunk - 1) / chunk * chunk
    self.writesParquet = writesParquet
  }
}

/// What came of it.
public struct ShardEmbeddingOutcome: Sendable, Equatable {
  /// Pairs of the shards, and those without vectors: their pictures do not decode.
  public var pairs = 0
  public var undecoded = 0
  public var parts = 0
  /// Pairs that this process has embedded.
  public var embedded = 0
  /// Whether all was there already.
  public var wasComplete = false
}

/// Embeds the pairs of shards into a folder in clip-retrieval's layout, with their scores.
///
/// The pairs are embedded in chunks of 512 rows, each durable when it is done; a part is made of its chunks when
/// it has all of them. Any number of processes may work on one folder: a chunk is claimed by a lock that ends
/// with its process. Killed at any moment, the same command goes on; the same shards and the same model give
/// the same bytes.
public struct ShardEmbedder: Sendable {
  private let shards: [String]
  private let work: EmbeddingWork
  private let embedder: any PairEmbedder
  private let options: ShardEmbeddingOptions

  /// - Parameters:
  ///   - shards: In order; Pairloom's or any WebDataset's.
  ///   - folder: Where the embeddings go; new, empty, or begun by the same command.
  ///   - embedder: Asked for one chunk at a time.
  ///   - options: How they are cut.
  public init(
    _ shards: [String], to folder: String, embedder: any PairEmbedder,
    options: ShardEmbeddingOptions = ShardEmbeddingOptions()
  ) {
    self.shards = shards
    self.embedder = embedder
    self.options = options
    work = EmbeddingWork(path: folder)
  }

  /// - Parameter onProgress: Told the pairs that are done, by whomever, and the pairs there are.
  /// - Returns: What the folder holds now.
  /// - Throws: ``ShardEmbeddingError``, what is wrong with a shard, what the disk refuses, what the embedder throws.
  public func run(
    _ onProgress: @Sendable (Int, Int) -> Void = { _, _ in }
  ) async throws -> ShardEmbeddingOutcome {
    let settings = try EmbeddingSettings(shards, embedder, options)
    if let done = try finished(settings) { return done }
    let plan: EmbeddingPlan
    do {
      plan = try await Parallel.detached { [self] in
        let plan = try work.open(shards, settings, partRows: options.partRows)
        try writeSources()
        return plan
      }
    } catch {
      // Another process may have finished just now.
      if let done = try finished(settings) { return done }
      throw error
    }
    var reader = ShardPairs(plan: plan)
    var embedded = 0
    while true {
      for chunk in 0..<plan.chunks {
        try Task.checkCancellation()
        let part = plan.part(of: chunk)
        if work.isPublished(part: part) || DurableFile.exists(work.chunk(chunk)) { continue }
        // Another process has it.
        guard let claim = try work.claim(chunk: chunk) else { continue }
        if !DurableFile.exists(work.chunk(chunk)) && !work.isPublished(part: part) {
          embedded += try await embed(chunk, &reader)
        }
        withExtendedLifetime(claim) {}
        try await publish(part, plan)
        onProgress(min(plan.rows, (chunk + 1) * EmbeddingPlan.chunkRows), plan.rows)
      }
      for part in 0..<plan.parts { try await publish(part, plan) }
      if var outcome = try await finish(plan, settings) {
        outcome.embedded = embedded
        return outcome
      }
      // Others hold what is left; who dies gives it up.
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  private func embed(_ chunk: Int, _ reader: inout ShardPairs) async throws -> Int {
    let pairs = try reader.pairs(of: chunk)
    let embeddings = try await embedder.embeddings(of: pairs.map(\.pair))
    precondition(
      embeddings.count == pairs.count, "\(embeddings.count) embeddings of \(pairs.count) pairs")
    let rows = try zip(pairs, embeddings).map { try row($0, $1) }
    let (path, width) = (work.chunk(chunk), embedder.width)
    try await Parallel.detached { try ChunkTable.write(rows, width: width, to: path) }
    return rows.count
  }

  private func row(_ source: ShardPairs.Source, _ embedding: PairEmbedding) throws -> EmbeddedPair {
    let pair = source.pair
    for vector in [embedding.image ?? embedding.text, embedding.text] {
      guard vector.count == embedder.width, vector.allSatisfy({ $0.isFinite }) else {
        throw ShardEmbeddingError.notNumbers(shard: source.shard, key: pair.key)
      }
    }
    var url = ""
    // A foreign shard's JSON may be anything.
    do throws(JSONError) { url = try JSONValue.parse(pair.metadata)["url"]?.text ?? "" } catch {}
    return EmbeddedPair(
      metadata: EmbeddingMetadata(
        uid: PairIdentity.uid(of: pair), key: pair.key, caption: pair.caption, url: url,
        shard: source.shard),
      image: embedding.image.map { HalfVectors.bytes($0) },
      text: HalfVectors.bytes(embedding.text), score: pair.hasText ? embedding.score : nil,
      fault: embedding.fault ?? "")
  }

  /// Makes a part whose chunks are all there, unless it is made.
  private func publish(_ part: Int, _ plan: EmbeddingPlan) async throws {
    let isReady = { @Sendable in
      !work.isPublished(part: part)
        && plan.chunks(of: part).allSatisfy { DurableFile.exists(work.chunk($0)) }
    }
    guard isReady() else { return }
    let assembly = PartAssembly(
      work: work, plan: plan, width: embedder.width, options: options,
      scoreMetadata: ScoreTable.metadata(of: embedder))
    try await Parallel.detached {
      guard let claim = try work.claim(part: part), isReady() else { return }
      try assembly.publish(part)
      for chunk in plan.chunks(of: part) { try DurableFile.remove(work.chunk(chunk)) }
      withExtendedLifetime(claim) {}
    }
  }

  private func writeSources() throws {
    try DurableFile.write(
      JSONValue.object([.init("shards", .array(shards.map { .string(RealPath.of($0) ?? $0) }))])
        .serialized + "\n", to: work.sources)
  }

  /// What the folder holds; nil while something is missing.
  private func finish(
    _ plan: EmbeddingPlan, _ settings: EmbeddingSettings
  ) async throws -> ShardEmbeddingOutcome? {
    if let done = try finished(settings) { return done }
    guard (0..<plan.parts).allSatisfy({ work.isPublished(part: $0) }) else { return nil }
    return try await Parallel.detached { [self] in
      // One finishes; the others see the manifest next.
      guard let claim = try work.claimFinish(),
        !DurableFile.exists(work.manifest)
      else { return nil }
      let rows = try (0..<plan.parts).map {
        try NumpyRows(path: work.file($0, .image)).rows
      }
      let manifest = JSONValue.object([
        .init("version", .int(1)), .init("settings", settings.json),
        .init("pairs", .int(plan.rows)), .init("width", .int(embedder.width)),
        .init("rows", .array(rows.map { .int($0) })),
      ])
      try DurableFile.write(manifest.serialized + "\n", to: work.manifest)
      try work.clean()
      withExtendedLifetime(claim) {}
      var outcome = Self.outcome(manifest)
      outcome.wasComplete = false
      return outcome
    }
  }

  /// What an earlier call has made of the same.
  private func finished(_ settings: EmbeddingSettings) throws -> ShardEmbeddingOutcome? {
    guard DurableFile.exists(work.manifest) else { return nil }
    let manifest = try JSONValue.parse(try DurableFile.read(work.manifest))
    try settings.require(manifest["settings"], at: work.path)
    // A kill in between has left what it was made from.
    try work.clean()
    return Self.outcome(manifest)
  }

  private static func outcome(_ manifest: JSONValue) -> ShardEmbeddingOutcome {
    var outcome = ShardEmbeddingOutcome()
    var rows: [Int] = []
    if case .array(let values)? = manifest["rows"] { rows = values.compactMap(\.integer) }
    outcome.pairs = manifest["pairs"]?.integer ?? 0
    outcome.undecoded = outcome.pairs - rows.reduce(0, +)
    outcome.parts = rows.count
    outcome.wasComplete = true
    return outcome
  }
}
