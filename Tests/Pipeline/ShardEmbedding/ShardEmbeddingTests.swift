import ContentHashing
import DurableFiles
import EmbeddingFiles
import Foundation
import PairDataset
import ParquetFile
import PipelineCore
import ShardEmbedding
import Synchronization
import TestTools
import Testing

/// Makes vectors of hashes; a picture of no bytes does not decode.
final class HashEmbedder: PairEmbedder {
  let name = "hashes"
  let provenance: [String: String]
  let width = 8
  let calls = Mutex(0)
  /// Calls after which it fails.
  private let patience: Int

  struct TiredError: Error {}

  init(weights: String = "w1", patience: Int = .max) {
    provenance = ["weights": weights]
    self.patience = patience
  }

  static func vector(_ bytes: [UInt8]) -> [Float] {
    let raw = ContentHash.sha256(bytes).prefix(8).map { Float($0) - 127.5 }
    let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return raw.map { $0 / length }
  }

  func embeddings(of pairs: [Pair]) async throws -> [PairEmbedding] {
    let isTired = calls.withLock { calls in
      calls += 1
      return calls > patience
    }
    if isTired { throw TiredError() }
    return pairs.map { pair in
      let text = Self.vector(Array(pair.caption.utf8))
      return pair.image == Self.broken
        ? PairEmbedding(fault: "broken", text: text)
        : PairEmbedding(image: Self.vector(pair.image), text: text)
    }
  }

  static let broken = Array("broken".utf8)
}

@Suite struct ShardEmbeddingTests {
  /// Shards of so many pairs; every hundredth picture is broken.
  private static func shards(_ counts: [Int], in folder: ScratchFolder) throws -> [String] {
    try DurableFile.makeFolder(folder("shards"))
    var number = 0
    return try counts.enumerated().map { shard, count in
      let writer = try ShardWriter(
        folder: folder("shards"), name: RunFolder.digits(shard), compression: .none)
      for _ in 0..<count {
        try writer.append(
          Pair(
            key: "k\(number)", caption: "caption \(number)",
            image: number % 100 == 99 ? HashEmbedder.broken : Array("picture \(number)".utf8),
            metadata: Array("{\"url\":\"http://a.example/\(number)\"}".utf8)))
        number += 1
      }
      return folder("shards/\(try writer.finish().file)")
    }
  }

  /// The bytes of all files below a folder, without what tells where shards lie.
  private static func contents(of folder: String) throws -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    let walk = try #require(FileManager.default.enumerator(atPath: folder))
    for case let name as String in walk where !DurableFile.isFolder("\(folder)/\(name)") {
      if name != "sources.json" { found[name] = try DurableFile.read("\(folder)/\(name)") }
    }
    return found
  }

  @Test("every pair that decodes has its vectors, its name and its score in one row of a part")
  func rows() async throws {
    let folder = try ScratchFolder()
    let shards = try Self.shards([700, 3, 0, 900], in: folder)
    let outcome = try await ShardEmbedder(
      shards, to: folder("out"), embedder: HashEmbedder(),
      options: ShardEmbeddingOptions(partRows: 1_000)
    ).run()
    #expect(outcome.pairs == 1_603 && outcome.undecoded == 16)
    // 1,000 rows are rounded up to two chunks of 512.
    #expect(outcome.parts == 2)
    let opened = try EmbeddingFolder(folder("out"))
    #expect(opened.count == 1_587 && opened.metadata.count == 2)
    let (image, text) = (try #require(opened.image), try #require(opened.text))
    func halves(_ vector: [Float]) -> [Float] { vector.map { Float(Float16($0)) } }
    let expected = (0..<1_603).filter { $0 % 100 != 99 }
    try opened.forEachMetadata { first, batch in
      for (index, pair) in batch.enumerated() {
        let row = first + index
        let number = expected[row]
        #expect(pair.key == "k\(number)" && pair.caption == "caption \(number)")
        #expect(pair.url == "http://a.example/\(number)")
        #expect(
          pair.shard == (number < 700 ? "00000.tar" : number < 703 ? "00001.tar" : "00003.tar"))
        let picture = HashEmbedder.vector(Array("picture \(number)".utf8))
        #expect(image.vectors(row..<row + 1) == halves(picture))
        #expect(
          text.vectors(row..<row + 1) == halves(HashEmbedder.vector(Array(pair.caption.utf8))))
      }
    }
    let scores = try (0..<2).flatMap {
      try PairTable.read("\(folder("out"))/scores/scores_\($0).parquet")
    }
    #expect(scores.count == 1_587)
    for (row, number) in expected.enumerated() {
      let (picture, caption) = (
        HashEmbedder.vector(Array("picture \(number)".utf8)),
        HashEmbedder.vector(Array("caption \(number)".utf8))
      )
      let score = zip(picture, caption).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      #expect(
        scores[row]["key"]?.text == "k\(number)"
          && scores[row]["score"]?.double.map(Float.init) == score)
    }
    #expect(try PairTable.metadata(of: folder("out/scores/scores_0.parquet"))["weights"] == "w1")
    let broken = try (0..<2).flatMap {
      try PairTable.read("\(folder("out"))/undecoded/undecoded_\($0).parquet")
    }
    #expect(broken.map { $0["key"]?.text } == (0..<16).map { "k\(100 * $0 + 99)" })
    #expect(!DurableFile.exists(folder("out/work")))
  }

  @Test("a run that stops anywhere is gone on with to the same bytes, and embeds no chunk twice")
  func resumes() async throws {
    let folder = try ScratchFolder()
    let shards = try Self.shards([1_400, 1_300], in: folder)
    let options = ShardEmbeddingOptions(partRows: 1_024, writesParquet: true)
    let calm = HashEmbedder()
    _ = try await ShardEmbedder(shards, to: folder("calm"), embedder: calm, options: options).run()
    let calls = calm.calls.withLock { $0 }
    #expect(calls == 6)
    for patience in 0..<calls {
      let out = folder("out\(patience)")
      await #expect(throws: HashEmbedder.TiredError.self) {
        try await ShardEmbedder(
          shards, to: out, embedder: HashEmbedder(patience: patience), options: options
        ).run()
      }
      #expect(!DurableFile.exists("\(out)/embeddings.json"))
      let second = HashEmbedder()
      let outcome = try await ShardEmbedder(
        shards, to: out, embedder: second, options: options
      ).run()
      #expect(second.calls.withLock { $0 } == calls - patience && !outcome.wasComplete)
      #expect(try Self.contents(of: out) == Self.contents(of: folder("calm")))
    }
    let again = HashEmbedder()
    let outcome = try await ShardEmbedder(
      shards, to: folder("calm"), embedder: again, options: options
    ).run()
    #expect(outcome.wasComplete && again.calls.withLock { $0 } == 0 && outcome.pairs == 2_700)
  }

  @Test("several at a time divide the work and give the same bytes")
  func together() async throws {
    let folder = try ScratchFolder()
    let shards = try Self.shards([2_000, 2_100], in: folder)
    let options = ShardEmbeddingOptions(partRows: 1_024)
    _ = try await ShardEmbedder(
      shards, to: folder("calm"), embedder: HashEmbedder(), options: options
    ).run()
    let embedders = (0..<4).map { _ in HashEmbedder() }
    let out = folder("out")
    let outcomes = try await withThrowingTaskGroup(of: ShardEmbeddingOutcome.self) { group in
      for embedder in embedders {
        group.addTask {
          try await ShardEmbedder(shards, to: out, embedder: embedder, options: options).run()
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.allSatisfy { $0.pairs == 4_100 && $0.parts == 5 })
    #expect(try Self.contents(of: out) == Self.contents(of: folder("calm")))
    let calls = embedders.reduce(0) { $0 + $1.calls.withLock { $0 } }
    // Nine chunks, none of which two have computed: claims hold where the file system has locks.
    #expect(calls == 9)
  }

  @Test("another model, other shards or options are refused, and so is a foreign folder")
  func refusals() async throws {
    let folder = try ScratchFolder()
    let shards = try Self.shards([600, 20], in: folder)
    let out = folder("out")
    await #expect(throws: HashEmbedder.TiredError.self) {
      try await ShardEmbedder(shards, to: out, embedder: HashEmbedder(patience: 1)).run()
    }
    func refusal(_ shards: [String], _ embedder: HashEmbedder, _ options: ShardEmbeddingOptions)
      async -> String?
    {
      await #expect(throws: ShardEmbeddingError.self) {
        try await ShardEmbedder(shards, to: out, embedder: embedder, options: options).run()
      }?.description
    }
    for isComplete in [false, true] {
      if isComplete {
        _ = try await ShardEmbedder(shards, to: out, embedder: HashEmbedder()).run()
      }
      #expect(
        await refusal(shards, HashEmbedder(weights: "w2"), .init())?
          .contains("model weights: was w1, now w2") == true)
      #expect(await refusal([shards[0]], HashEmbedder(), .init())?.contains("shards: was") == true)
      #expect(
        await refusal(shards, HashEmbedder(), .init(partRows: 512))?.contains("part-rows") == true)
    }
    try DurableFile.makeFolder(folder("other"))
    try DurableFile.write("mine", to: folder("other/file"))
    await #expect(throws: ShardEmbeddingError.outputExists(folder("other"))) {
      try await ShardEmbedder(shards, to: folder("other"), embedder: HashEmbedder()).run()
    }
    #expect(try DurableFile.names(in: folder("other")) == ["file"])
    try DurableFile.write(Array(repeating: 0, count: 1_024), to: folder("empty.tar"))
    await #expect(throws: ShardEmbeddingError.noPairs) {
      try await ShardEmbedder([folder("empty.tar")], to: folder("new"), embedder: HashEmbedder())
        .run()
    }
  }

  @Test("numpy and pyarrow read vectors and tables", .peers("numpy", "pyarrow"))
  func peers() async throws {
    let folder = try ScratchFolder()
    let shards = try Self.shards([1_000, 100], in: folder)
    _ = try await ShardEmbedder(
      shards, to: folder("out"), embedder: HashEmbedder(),
      options: ShardEmbeddingOptions(partRows: 1_024, writesParquet: true)
    ).run()
    let told = try await PeerPython.run(
      code:
        """
        import numpy, sys, hashlib, pyarrow.parquet as pq
        total = 0
        for part in range(2):
            load = lambda s: numpy.load(f'{sys.argv[1]}/{s}/{s}_{part}.npy', allow_pickle=False)
            table = lambda s: pq.read_table(f'{sys.argv[1]}/{s}/{s}_{part}.parquet')
            image, text, meta = load('img_emb'), load('text_emb'), table('metadata')
            assert image.dtype == text.dtype == numpy.float16 and image.shape == text.shape
            assert meta.num_rows == len(image), (meta.num_rows, image.shape)
            for key, caption, i, t in zip(meta['image_path'].to_pylist(), meta['caption'].to_pylist(), image, text):
                for s, v in [('picture ' + key[1:], i), (caption, t)]:
                    raw = numpy.frombuffer(hashlib.sha256(s.encode()).digest()[:8], 'u1').astype('f4') - 127.5
                    assert abs(raw / numpy.linalg.norm(raw) - v).max() < 1e-3, key
            vectors, scores = table('vectors'), table('scores')
            assert (numpy.frombuffer(b''.join(vectors['image'].to_pylist()), '<f2').reshape(-1, 8) == image).all()
            assert (numpy.frombuffer(b''.join(vectors['text'].to_pylist()), '<f2').reshape(-1, 8) == text).all()
            assert vectors['uid'] == meta['uid'] == scores['uid']
            dot = (image.astype('f4') * text.astype('f4')).sum(1)
            assert abs(dot - scores['score'].to_numpy()).max() < 2e-3
            total += len(image)
        print(total)
        """, folder("out"))
    #expect(told == "1089")
  }
}
