import DurableFiles
import Foundation
import PairDataset
import PipelineCore
import ShardStage
import Testing

/// A chunk of seven rows, one for each way through the stages, as the stages before sharding leave it.
@Suite struct ShardStageTests {
  static let reasons: [DropReason?] = [
    nil, .badURL, .httpStatus, .robots, .corrupt, .duplicateBytes, nil,
  ]

  static let columns: [JSONValue.Member] = [
    .init("id", .int(0)), .init("width", .string("wide")),
  ]

  /// The seven are the rows `list` of the list, with captions or without.
  ///
  /// `columns` are the list's other columns, the same in every row but for `id`, the row's number.
  static func makeRun(
    rows list: [Int] = Array(1_000..<1_007), captions hasCaptions: Bool = true,
    columns: [JSONValue.Member] = Self.columns, format: String? = nil,
    uid: (Int) -> String = { "uid\($0)" }
  ) throws -> (RunFolder, StageContext) {
    let folder = RunFolder(
      FileManager.default.temporaryDirectory.path + "/shard-" + UUID().uuidString)
    try folder.make()
    let hash = String(repeating: "ab", count: 32)
    var chunk: [JSONValue] = []
    var fetched: [JSONValue] = []
    var decoded: [JSONValue] = []
    var verdicts: [JSONValue] = []
    for (row, reason) in reasons.enumerated() {
      let drop = reason.map {
        Drop($0, detail: $0 == .robots ? "noai" : "", survivor: $0 == .duplicateBytes ? 0 : nil)
      }
      func at(_ stage: StageName) -> Drop? { drop?.reason.stage == stage ? drop : nil }
      chunk.append(
        PairCandidate(
          row: list[row], uid: uid(row),
          url: (reason == .badURL ? "list/" : "http://a.test/") + "\(row)",
          caption: hasCaptions ? "caption \(row)" : "",
          columns: columns.map { $0.key == "id" ? .init("id", .int(row)) : $0 },
          drop: at(.ingest)
        ).json)
      if at(.ingest) != nil { continue }
      let isFetched = at(.download) == nil
      fetched.append(
        FetchedRow(
          row: list[row], attempt: 2, status: reason == .httpStatus ? 404 : 200,
          record: [
            .init("final_url", .string("http://b.test/\(row)")),
            .init("started_at", .int(5_000 + row)), .init("seconds", .number("0.25")),
          ],
          drop: at(.download), bytes: isFetched ? ByteRange(offset: 0, length: 1) : nil,
          sha256: isFetched ? hash : nil
        ).json)
      if !isFetched { continue }
      let isDecoded = at(.decode) == nil
      decoded.append(
        DecodedRow(
          row: list[row], sha256: hash, drop: at(.decode),
          bytes: isDecoded ? ByteRange(offset: row, length: 1) : nil, width: isDecoded ? 8 : nil,
          height: isDecoded ? 9 : nil, originalWidth: 16, originalHeight: 18,
          phash: isDecoded ? "00000000000000\(row)f" : nil, exif: isDecoded ? "{}" : nil,
          format: isDecoded ? format : nil
        ).json)
      if !isDecoded { continue }
      verdicts.append(Verdict(row: list[row], sha256: hash, drop: at(.deduplicate)).json)
    }
    try DurableFile.write(chunk.map { $0.serialized + "\n" }.joined(), to: folder.chunkTable(1))
    let kinds = columns.map { column in
      JSONValue.object([
        .init("name", .string(column.key)),
        .init("type", .string(column.value.text == nil ? "int" : "string")),
      ])
    }
    try DurableFile.write(JSONValue.array(kinds).serialized, to: folder.chunkColumns)
    try PairTable.write(
      fetched, columns: FetchedRow.columns, to: folder.fetchedTable(1, attempt: 2))
    try PairTable.write(decoded, columns: DecodedRow.columns, to: folder.decodedTable(1))
    try PairTable.write(verdicts, columns: Verdict.columns, to: folder.verdictTable(1))
    try DurableFile.write((0..<7).map { UInt8($0) }, to: folder.decodedBytes(1))
    let report = StageReport(input: 0, kept: 0, facts: [StageReport.attemptFact: 2])
    return (folder, StageContext(folder: folder, report: { _, _ in report }) { _ in [] })
  }

  @Test("every row has its fate in the table, and what was kept is in the shard under its uid")
  func ownLayout() async throws {
    let (folder, context) = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = ShardStage(options: ShardOptions(), rowsPerShard: 1_000)
    let report = try await stage.run(Chunk(number: 1, attempt: 1), in: context)
    #expect(report.kept == 2)
    let rows = try PairTable.read(folder.shardTable(1))
    #expect(rows.map { $0["reason"]?.text } == Self.reasons.map { $0?.rawValue })
    #expect(
      rows.map { $0["class"]?.text } == Self.reasons.map { $0 == nil ? nil : "permanent" })
    #expect(rows.map { $0["row"]?.integer } == Array(1_000..<1_007))
    #expect(rows.map { $0["id"]?.integer } == Array(0..<7))
    #expect(rows.allSatisfy { $0["list_width"]?.text == "wide" })
    #expect(rows[5]["of"]?.integer == 0)
    let shard = try ShardReader(path: folder.shards + "/00001.tar.lz4")
    #expect(shard.keys == ["uid0", "uid6"])
    let pair = try shard.pair(at: 1)
    #expect(pair.image == [6])
    #expect(pair.caption == "caption 6")
    #expect(try JSONValue.parse(pair.metadata)["uid"]?.text == "uid6")
  }

  @Test("the table has img2dataset's columns in its order, then what else is known of a pair")
  func tableColumns() async throws {
    let (folder, context) = try Self.makeRun(format: "webp")
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    for hasEXIF in [false, true] {
      let stage = ShardStage(options: ShardOptions(), rowsPerShard: 1_000, hasEXIF: hasEXIF)
      _ = try await stage.run(Chunk(number: 1, attempt: 1), in: context)
      #expect(
        try PairTable.columns(of: folder.shardTable(1)).map(\.name) == [
          "row", "id", "list_width", "caption", "url", "key", "status", "error_message", "width",
          "height", "original_width", "original_height",
        ] + (hasEXIF ? ["exif"] : []) + [
          "sha256", "uid", "phash", "format", "http_status", "final_url", "reason", "class", "of",
          "of_uid", "of_source", "distance", "difference",
        ])
      let rows = try PairTable.read(folder.shardTable(1))
      #expect(rows[0]["exif"]?.text == (hasEXIF ? "{}" : nil))
      #expect(
        rows.map { $0["phash"]?.text }
          == [0, nil, nil, nil, nil, 5, 6].map { $0.map { "00000000000000\($0)f" } })
      #expect(rows.map { $0["format"]?.text } == ["webp", nil, nil, nil, nil, nil, "webp"])
      #expect(rows.map { $0["http_status"]?.integer } == [200, nil, 404, 200, 200, 200, 200])
      #expect(
        rows.map { $0["final_url"]?.text }
          == (0..<7).map { $0 == 1 ? nil : "http://b.test/\($0)" })
    }
    let pair = try ShardReader(path: folder.shards + "/00001.tar.lz4").pair(at: 0)
    #expect(pair.imageExtension == "webp")
    let metadata = try JSONValue.parse(pair.metadata)
    #expect(metadata["phash"]?.text == "000000000000000f")
    #expect(metadata["exif"]?.text == "{}")
  }

  @Test("numbers may be the keys of Pairloom's own layout, and the uid stands beside them")
  func numberedKeys() async throws {
    let (folder, context) = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = ShardStage(
      options: ShardOptions(compression: .none, keyScheme: .img2dataset), rowsPerShard: 1_000)
    _ = try await stage.run(Chunk(number: 1, attempt: 1), in: context)
    let shard = try ShardReader(path: folder.shards + "/00001.tar")
    #expect(shard.keys == ["00001000", "00001006"])
    let metadata = try JSONValue.parse(try shard.pair(at: 1).metadata)
    #expect(metadata["key"]?.text == "00001006")
    #expect(metadata["uid"]?.text == "uid6")
    #expect(
      try PairTable.read(folder.shardTable(1)).map { $0["uid"]?.text } == (0..<7).map { "uid\($0)" }
    )
  }

  @Test("the layout decides the keys where no scheme is named, and img2dataset's has no other")
  func keySchemes() throws {
    func scheme(_ options: [String]) throws -> KeyScheme {
      var reader = try RecipeReader(yaml: "", path: "r", overrides: options)
      return try ShardOptions(from: &reader).keyScheme
    }
    #expect(try scheme([]) == .uid)
    #expect(try scheme(["key_scheme=img2dataset"]) == .img2dataset)
    #expect(try scheme(["layout=img2dataset"]) == .img2dataset)
    #expect(throws: RecipeError.self) { try scheme(["layout=img2dataset", "key_scheme=uid"]) }
    for wrong in ["shard_pairs=0", "shard_bytes=100"] {
      #expect(throws: RecipeError.self) { try scheme([wrong]) }
    }
  }

  @Test("img2dataset's layout has its keys, its fields in order, its words and its counts")
  func img2datasetLayout() async throws {
    let (folder, context) = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = ShardStage(
      options: ShardOptions(compression: .none, layout: .img2dataset), rowsPerShard: 1_000)
    _ = try await stage.run(Chunk(number: 1, attempt: 1), in: context)
    let shard = try ShardReader(path: folder.shards + "/00001.tar")
    #expect(shard.keys == ["00001000", "00001006"])  // ⌈log₁₀ 1,000⌉ digits behind the shard's five
    let metadata = try shard.pair(at: 0).metadata
    #expect(
      try JSONValue.parse(metadata).members.map(\.key) == [
        "id", "list_width", "caption", "url", "key", "status", "error_message", "width", "height",
        "original_width", "original_height", "sha256",
      ])
    #expect(String(decoding: metadata, as: UTF8.self).hasPrefix("{\n    \"id\": 0,\n"))
    let rows = try PairTable.read(folder.shardTable(1))
    #expect(
      rows.map { $0["error_message"]?.text } == [
        nil, "unknown url type: 'list/1'", "HTTP Error 404: Not Found",
        "Use of image disallowed by X-Robots-Tag directive", "Image decoding error",
        "duplicate_bytes of row 0", nil,
      ])
    let stats = try JSONValue.parse(try DurableFile.read(folder.shards + "/00001_stats.json"))
    #expect(stats["count"]?.integer == 7)
    #expect(stats["successes"]?.integer == 2)
    #expect(stats["failed_to_download"]?.integer == 3)
    #expect(stats["failed_to_resize"]?.integer == 2)
    #expect(stats["status_dict"]?["success"]?.integer == 2)
    #expect(stats["start_time"]?.double == 5)
    #expect(stats["end_time"]?.double == 5.256)
    #expect(stats["duration"]?.double.map { abs($0 - 0.256) < 1e-9 } == true)
  }

  @Test(
    "a list's column keeps a name of its own, whatever the list has, and when shards are fed in again",
    arguments: [ShardOptions.Layout.pairloom, .img2dataset])
  func carriedNames(layout: ShardOptions.Layout) async throws {
    var columns: [JSONValue.Member] = [
      .init("key", .string("mine")), .init("list_list_key", .string("real")),
      .init("list_key", .string("taken")),
    ]
    for round in 0..<3 {
      let (folder, context) = try Self.makeRun(columns: columns)
      defer { try? FileManager.default.removeItem(atPath: folder.path) }
      let stage = ShardStage(
        options: ShardOptions(compression: .none, layout: layout), rowsPerShard: 1_000)
      _ = try await stage.run(Chunk(number: 1, attempt: 1), in: context)
      let pair = try ShardReader(path: folder.shards + "/00001.tar").pair(at: 0)
      let members = try JSONValue.parse(pair.metadata).members.filter { $0.value != .null }
      #expect(Set(members.map(\.key)).count == members.count, "round \(round)")
      // The columns come first, in the list's order, with their values and what names are free.
      for (column, member) in zip(columns, members) {
        #expect(member.value == column.value)
        #expect(member.key.hasSuffix(column.key))
      }
      if round == 0 {
        #expect(
          members.prefix(3).map(\.key) == ["list_list_list_key", "list_list_key", "list_key"])
      }
      let row = try #require(try PairTable.read(folder.shardTable(1)).first)
      for member in members { #expect(row[member.key] == member.value, "\(member.key)") }
      columns = members.filter { !["url", "caption"].contains($0.key) }
    }
  }

  @Test("a uid that a chunk has twice is a key once, and else has the row's number behind it")
  func repeatedUID() async throws {
    for uids in [
      // Rows 0 and 6 are kept, and no key is made for the others.
      ["a", "a", "a", "a", "a", "a", "a"], ["a-1006", "", "", "", "", "a", "a-1006"],
    ] {
      let (folder, context) = try Self.makeRun { uids[$0] }
      defer { try? FileManager.default.removeItem(atPath: folder.path) }
      let stage = ShardStage(options: ShardOptions(compression: .none), rowsPerShard: 1_000)
      let report = try await stage.run(Chunk(number: 1, attempt: 1), in: context)
      #expect(report.kept == 2)
      let shard = try ShardReader(path: folder.shards + "/00001.tar")
      #expect(shard.keys == [uids[0], uids[0] + "-1006"])
      let rows = try PairTable.read(folder.shardTable(1))
      #expect(rows.map { $0["key"]?.text } == uids.dropLast() + [uids[0] + "-1006"])
      #expect(rows.map { $0["uid"]?.text } == uids)
      let metadata = try JSONValue.parse(try shard.pair(at: 1).metadata)
      #expect(metadata["key"]?.text == shard.keys[1])
      #expect(metadata["uid"]?.text == uids[6])
    }
  }

  @Test("the rows of a retry, which lie anywhere in the list, are numbered by their place")
  func keysOfRetry() async throws {
    let (folder, context) = try Self.makeRun(rows: [3, 17, 18, 400, 401, 995, 999])
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = ShardStage(
      options: ShardOptions(compression: .none, layout: .img2dataset), rowsPerShard: 1_000)
    _ = try await stage.run(Chunk(number: 1, attempt: 1), in: context)
    #expect(
      try PairTable.read(folder.shardTable(1)).map { $0["key"]?.text }
        == (0..<7).map { "0000100\($0)" })
    #expect(try ShardReader(path: folder.shards + "/00001.tar").keys == ["00001000", "00001006"])
  }

  @Test("of a list without captions img2dataset's layout has neither their field nor a .txt")
  func withoutCaptions() async throws {
    for (facts, hasCaptions) in [
      (#"[{"captions":false}]"#, false), (#"[{"captions":false},{"captions":true}]"#, true),
      ("[{}]", true),
    ] {
      let (folder, context) = try Self.makeRun(captions: hasCaptions)
      defer { try? FileManager.default.removeItem(atPath: folder.path) }
      try DurableFile.write(facts, to: folder.chunkFiles)
      for layout in [ShardOptions.Layout.img2dataset, .pairloom] {
        let stage = ShardStage(
          options: ShardOptions(compression: .none, layout: layout), rowsPerShard: 1_000)
        _ = try await stage.run(Chunk(number: 1, attempt: 1), in: context)
        let isThere = hasCaptions || layout == .pairloom
        let pair = try ShardReader(path: folder.shards + "/00001.tar").pair(at: 0)
        #expect(pair.hasText == isThere)
        #expect(try (JSONValue.parse(pair.metadata)["caption"] != nil) == isThere)
        #expect(
          try PairTable.read(folder.shardTable(1)).allSatisfy { ($0["caption"] != nil) == isThere })
        // Members of a tar begin with their names.
        let tar = String(
          decoding: try DurableFile.read(folder.shards + "/00001.tar"), as: UTF8.self)
        #expect(tar.contains(".txt") == isThere)
      }
    }
  }

  @Test("rows that ingest rejected leave gaps in the numbers of a shard")
  func keysWithGaps() async throws {
    let (folder, context) = try Self.makeRun(rows: [
      1_001, 1_002, 1_003, 1_007, 1_008, 1_009, 1_999,
    ])
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let stage = ShardStage(
      options: ShardOptions(compression: .none, layout: .img2dataset), rowsPerShard: 1_000)
    _ = try await stage.run(Chunk(number: 1, attempt: 1), in: context)
    #expect(try ShardReader(path: folder.shards + "/00001.tar").keys == ["00001001", "00001999"])
  }

  @Test("tables that disagree about a row fail the chunk")
  func disagreement() async throws {
    let (folder, context) = try Self.makeRun()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try PairTable.write([], columns: Verdict.columns, to: folder.verdictTable(1))
    let stage = ShardStage(options: ShardOptions(), rowsPerShard: 1_000)
    await #expect(throws: StageError.self) {
      try await stage.run(Chunk(number: 1, attempt: 1), in: context)
    }
  }
}
