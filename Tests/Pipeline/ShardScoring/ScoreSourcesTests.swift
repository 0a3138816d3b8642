import Foundation
import PairDataset
import ParquetFile
import PipelineCore
import ShardScoring
import Testing

@Suite struct ScoreSourcesTests {
  static func table(
    _ path: String, _ columns: [ParquetColumn], _ rows: [[ParquetValue]],
    metadata: [(key: String, value: String)] = []
  ) throws {
    let writer = try ParquetWriter(path: path, columns: columns, codec: .zstd, metadata: metadata)
    try writer.append(columns.indices.map { column in rows.map { $0[column] } })
    try writer.finish()
  }

  static func names(_ numbers: Range<Int>) -> [PairNames] {
    numbers.map { PairNames(ToyShards.pair($0)) }
  }

  @Test("any table joins by uid, key or url", arguments: JoinColumn.allCases)
  func identities(by column: JoinColumn) throws {
    let toy = try ToyShards()
    let path = toy.folder + "/t.parquet"
    let rows = (0..<10).map { number -> [ParquetValue] in
      let names = PairNames(ToyShards.pair(number))
      // Written in another way than the pair has it; the pair's own is `http://h.test/N`.
      let texts: [JoinColumn: String] = [
        .uid: names.uid.uppercased(), .key: names.key, .url: "HTTP://H.test:80/\(number)",
      ]
      return [.text(texts[column] ?? ""), number == 3 ? .null : .double(Double(number) / 16)]
    }
    try Self.table(
      path, [.init(column.rawValue, .string), .init("clip_l14_similarity_score", .double)], rows)
    let sources = try ScoreSources([path])
    #expect(sources.identities == [column] && sources.rows == 10)
    var join = ScoreJoin(sources)
    let values = try join.values(of: "clip_l14_similarity_score", for: Self.names(5..<12))
    #expect(values == [5, 6, 7, 8, 9].map { $0 / 16 } + [nil, nil])
    #expect(join.found == 5 && join.missing == 2)
    // It is known, and has no number.
    #expect(try join.values(of: "clip_l14_similarity_score", for: Self.names(3..<4)) == [nil])
    #expect(join.found == 6)
  }

  @Test("the index agrees with a dictionary on 20,000 names, a third of them repeated")
  func index() throws {
    let toy = try ToyShards()
    let path = toy.folder + "/t.parquet"
    var naive: [String: Double] = [:]
    var rows: [[ParquetValue]] = []
    var repeated = 0
    for number in 0..<20_000 {
      // Small numbers as uids, too: 32 digits that differ in their last.
      let name = number % 2 == 0 ? "name \(number * 7 % 13_000)" : Self.digits(number * 7 % 13_000)
      if naive[name] == nil { naive[name] = Double(number) } else { repeated += 1 }
      rows.append([.text(name), .float(Float(number))])
    }
    try Self.table(path, [.init("uid", .string), .init("score", .float)], rows)
    let sources = try ScoreSources([path])
    #expect(sources.rows == naive.count && sources.repeated == repeated)
    var join = ScoreJoin(sources)
    for (name, score) in naive {
      #expect(try join.values(of: "score", for: [PairNames(uid: name, key: "")]) == [score])
    }
    #expect(try join.values(of: "score", for: [PairNames(uid: "name", key: "")]) == [nil])
  }

  static func digits(_ number: Int) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: 32 - text.count) + text
  }

  @Test("tables with other columns add theirs; those of two models are refused")
  func groups() async throws {
    let toy = try ToyShards()
    let shards = try toy.shards(2, pairs: 4)
    for weights in ["w1", "w2"] {
      _ = try await ShardScorer(
        shards, to: "\(toy.folder)/\(weights)", scorer: ByteScorer(weights: weights)
      ).run()
    }
    let meta = toy.folder + "/meta.parquet"
    try Self.table(
      meta,
      [.init("uid", .string), .init("text", .string), .init("clip_b32_similarity_score", .float)],
      (0..<8).map {
        [.text(PairNames(ToyShards.pair($0)).uid), .text("caption"), .float(Float($0))]
      })
    let sources = try ScoreSources([toy.folder + "/w1", meta])
    #expect(sources.columns == ["score", "clip_b32_similarity_score"] && sources.rows == 16)
    #expect(sources.provenances[0].values["weights"] == "w1")
    let error = #expect(throws: ScoreSourceError.self) {
      try ScoreSources([toy.folder + "/w1", toy.folder + "/w2"])
    }
    #expect(error?.description.contains("weights: w1 there, w2 here") == true)
    #expect(throws: ScoreSourceError.noSuchColumn("x", columns: ["score"])) {
      try ScoreSources([toy.folder + "/w1"], columns: ["x"])
    }
  }

  @Test("what cannot be joined is refused, with the reason")
  func refusals() throws {
    let toy = try ToyShards()
    let path = toy.folder + "/t.parquet"
    #expect(throws: ScoreSourceError.nothing(toy.folder)) { try ScoreSources([toy.folder]) }
    try Self.table(
      path, [.init("image", .string), .init("score", .float)], [[.text("a"), .float(1)]])
    #expect(throws: ScoreSourceError.self) { try ScoreSources([path]) }
    try Self.table(
      path, [.init("uid", .string), .init("score", .string)], [[.text("a"), .text("1")]])
    #expect(throws: ScoreSourceError.self) { try ScoreSources([path]) }
    try Self.table(
      path, [.init("uid", .string), .init("score", .float)], [[.text("a"), .float(1)]])
    var join = ScoreJoin(try ScoreSources([path]))
    try join.requireSome()
    _ = try join.values(of: "score", for: Self.names(0..<3))
    #expect(throws: ScoreSourceError.nothingJoined(pairs: 3, rows: 1, by: "uid")) {
      try join.requireSome()
    }
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for length in stride(from: 0, to: bytes.count, by: 61) {
      try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
      #expect(throws: ParquetError.self) { try ScoreSources([path]) }
    }
  }

  struct Rows: EmbeddingVectors {
    var rows: [[Float]]
    var count: Int { rows.count }
    var width: Int { rows.first?.count ?? 0 }
    func vectors(_ range: Range<Int>) -> [Float] { Array(rows[range].joined()) }
  }

  @Test("clip-retrieval's folders join by the cosine of their vectors")
  func embeddings() throws {
    let toy = try ToyShards()
    let folder = toy.folder + "/emb"
    for name in ["img_emb", "text_emb", "metadata"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    let count = 2_500
    let image = Rows(rows: (0..<count).map { [1, Float($0 % 7), 2] })
    var text = Rows(rows: (0..<count).map { [Float($0 % 5), 1, Float($0 % 3)] })
    text.rows[9] = [0, 0, 0]
    let tables = (0..<2).map { "\(folder)/metadata/metadata_\($0).parquet" }
    for (number, table) in tables.enumerated() {
      try Self.table(
        table, [.init("image_path", .string), .init("url", .string)],
        (number * 1_000..<(number == 0 ? 1_000 : count)).map {
          [.text("k\($0)"), .text("http://h.test/\($0)")]
        })
    }
    let parts = EmbeddingParts(image: image, text: text, metadata: tables)
    var join = ScoreJoin(try ScoreSources([folder]) { _, _ in [parts] })
    let values = try join.values(of: "score", for: Self.names(0..<count))
    for (row, value) in values.enumerated() {
      let (a, b) = (image.rows[row].map(Double.init), text.rows[row].map(Double.init))
      func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
      let naive = dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
      // Three products of small whole numbers are exact in Float; a root and a quotient round twice.
      #expect(row == 9 ? value == nil : abs(Double(value ?? 9) - naive) < 1e-6)
    }
    text.rows.removeLast()
    let short = EmbeddingParts(image: image, text: text, metadata: tables)
    #expect(throws: ScoreSourceError.self) { try ScoreSources([folder]) { _, _ in [short] } }
    let missing = EmbeddingParts(image: image, text: image, metadata: [tables[0]])
    #expect(throws: ScoreSourceError.self) { try ScoreSources([folder]) { _, _ in [missing] } }
  }

  @Test("of archives of features the cosines are taken that the tables beside them have not")
  func archives() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
      .path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let table = folder + "/a.parquet"
    try Self.table(
      table, [.init("uid", .string), .init("clip_b32_similarity_score", .double)],
      (0..<3).map { [.text("u\($0)"), .double(Double($0))] })
    // Its content is the opener's business.
    try Data().write(to: URL(fileURLWithPath: folder + "/a.npz"))
    let image = Rows(rows: (0..<3).map { [1, Float($0)] })
    let text = Rows(rows: (0..<3).map { _ in [1, 0] })
    let open: ScoreSources.EmbeddingOpener = { path, known in
      ["clip_b32_similarity_score", "clip_l14_similarity_score"].filter { !known.contains($0) }
        .map { EmbeddingParts(image: image, text: text, metadata: [table], column: $0) }
    }
    let all = try ScoreSources([folder], openEmbeddings: open)
    #expect(all.columns == ["clip_b32_similarity_score", "clip_l14_similarity_score"])
    var join = ScoreJoin(all)
    let names = (0..<3).map { PairNames(uid: "u\($0)", key: "") }
    #expect(try join.values(of: "clip_b32_similarity_score", for: names) == [0, 1, 2])
    let cosines = try join.values(of: "clip_l14_similarity_score", for: names)
    #expect(cosines[0] == 1 && cosines[2] == Double(Float(1) / Float(5).squareRoot()))
    let alone = try ScoreSources(
      [folder + "/a.npz"], columns: ["clip_b32_similarity_score"], openEmbeddings: open)
    #expect(alone.columns == ["clip_b32_similarity_score"])
    var computed = ScoreJoin(alone)
    #expect(try computed.values(of: "clip_b32_similarity_score", for: names) == cosines)
    #expect(
      try ScoreSources.files(folder + "/a.npz") == [folder + "/a.npz", folder + "/a.parquet"])
  }
}
