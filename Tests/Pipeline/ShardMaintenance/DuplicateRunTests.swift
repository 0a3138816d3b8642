import DurableFiles
import Foundation
import ImageCodec
import JobLedger
import PipelineCore
import ShardMaintenance
import Testing
import URLPipeline

/// Deduplication in a run, from lists of pictures that are encoded anew.
@Suite(.serialized) struct DuplicateRunTests {
  static let near = ["dedup=near"]

  /// Thirty rows: row r ≥ 6 with r % 3 == 0 is row r − 6's scene in another quality or size.
  static let rows: [DuplicateWeb.Row] = (0..<30).map { row in
    let scene = row % 3 == 0 ? row % 6 : 100 + row
    let kind = isLarge(row) ? "large" : "scene"
    return ("/\(kind)/\(scene)/\(95 - row)", "caption \(row % 5)")
  }
  static func isLarge(_ row: Int) -> Bool { row % 4 == 2 || row % 9 == 0 && row > 0 }
  static var distinct: [Int] { rows.indices.filter { $0 % 3 != 0 || $0 < 6 } }

  @Test("copies in other qualities and sizes are dropped, with the same bytes for any workers")
  func near() async throws {
    let web = try DuplicateWeb()
    try await web.run("one", Self.rows, Self.near)
    #expect(try web.kept("one") == Self.distinct)
    let verdicts = try web.verdicts("one")
    for row in Self.rows.indices where !Self.distinct.contains(row) {
      #expect(verdicts[row]?.drop == Drop(.duplicatePicture, survivor: row % 6), "row \(row)")
      #expect(verdicts[row]?.match?.distance != nil && verdicts[row]?.match?.difference != nil)
    }
    let table = try PairTable.read(web.runFolder("one").shardTable(1))
    #expect(table[0]["error_message"]?.text == "duplicate_picture of row 0")
    #expect(table[0]["of"]?.integer == 0 && table[0]["distance"]?.integer != nil)
    let files = try web.files("one")
    for workers in [2, 4] {
      try await web.run("run\(workers)", Self.rows, workers: workers, Self.near)
      let others = try web.files("run\(workers)")
      #expect(others.keys.sorted() == files.keys.sorted())
      for (file, bytes) in files { #expect(others[file] == bytes, "\(workers): \(file)") }
    }
    #expect(try await RunVerifier.verify(web.runFolder("one"), threads: 2).problems == [])
    // Nothing that is not a run's lies there.
    #expect(try await RunCleaner.clean(web.runFolder("one")).foreign == [])
  }

  @Test("a run that loses its indexes between two lives ends with the same bytes")
  func interrupted() async throws {
    let web = try DuplicateWeb()
    try await web.run("calm", Self.rows, Self.near)
    let files = try web.files("calm")
    for moment in [2, 5, 9] {
      let name = "cut\(moment)"
      let run = try web.pipeline(name, Self.rows, Self.near)
      let work = Task { try await run.run() }
      // Some chunks are judged, others are not.
      let folder = web.runFolder(name)
      while try DurableFile.names(in: folder.verdicts).count < moment / 2 {
        try await Task.sleep(for: .milliseconds(5))
      }
      work.cancel()
      _ = try? await work.value  // cancelled, or just done
      if moment == 5 { try FileManager.default.removeItem(atPath: folder.duplicates) }
      #expect(try await web.run(name, Self.rows, Self.near).isComplete)
      for (file, bytes) in files {
        #expect(try web.files(name)[file] == bytes, "\(moment): \(file)")
      }
    }
  }

  @Test("a released chunk's copies in later shards are dropped, others stay as they are")
  func released() async throws {
    let web = try DuplicateWeb()
    let options = Self.near + ["chunk_attempts=1", "duplicates.caption_limit=8"]
    try await web.run("calm", Self.rows, options)
    let folder = web.runFolder("run")
    try FileManager.default.createDirectory(
      atPath: folder.decodedTable(0) + "/in the way", withIntermediateDirectories: true)
    let broken = try await web.run("run", Self.rows, options)
    #expect(!broken.isComplete)
    // Rows 6 and 9 stand for what the first chunk has.
    #expect(try web.kept("run").contains(6))
    try FileManager.default.removeItem(atPath: folder.decodedTable(0))
    _ = try await QuarantineRelease.release(nil, in: folder)
    let mended = try await PipelineRun(
      recipe: try await PipelineRun.recipe(of: folder.path), folder: folder.path, workers: 2
    ).resume()
    #expect(mended.isComplete)
    #expect(try !web.kept("run").contains(6))
    let (found, calm) = (try web.files("run"), try web.files("calm"))
    for (file, bytes) in calm { #expect(found[file] == bytes, "\(file)") }
    #expect(try await RunVerifier.verify(folder, threads: 2).problems == [])
  }

  @Test("the best of several is kept, by pixels or by a column, and the same for any workers")
  func best() async throws {
    let web = try DuplicateWeb()
    let best = Self.near + ["duplicates.keep=best", "chunks_in_flight=1"]
    try await web.run("pixels", Self.rows, best)
    // Of each scene the first large one.
    let verdicts = try web.verdicts("pixels")
    for scene in [0, 3] {
      let copies = Self.rows.indices.filter { $0 % 3 == 0 && $0 % 6 == scene }
      let first = copies.first(where: Self.isLarge) ?? copies[0]
      for row in copies {
        #expect(verdicts[row]?.drop?.survivor == (row == first ? nil : first), "row \(row)")
      }
    }
    let files = try web.files("pixels")
    try await web.run("two", Self.rows, workers: 2, best)
    #expect(try web.files("two") == files)
    // The bodies are gone, and no more than the window had waited for decoding.
    #expect(
      try DurableFile.names(in: web.folder + "/pixels/fetched").allSatisfy {
        !$0.hasSuffix(".bytes")
      })
    // By the list's column, which is the row % 4.
    try await web.run("rated", Self.rows, best + ["duplicates.best_by=rating"])
    let rated = try web.verdicts("rated")
    for scene in [0, 3] {
      let copies = Self.rows.indices.filter { $0 % 3 == 0 && $0 % 6 == scene }
      let most = copies.map { $0 % 4 }.max()
      #expect(copies.first { rated[$0]?.drop == nil } == copies.first { $0 % 4 == most })
    }
    #expect(try await RunVerifier.verify(web.runFolder("rated"), threads: 2).problems == [])
  }

  @Test(
    "where the first chunk is given up the others are judged, and all again when it is released")
  func bestReleased() async throws {
    let web = try DuplicateWeb()
    let options = Self.near + ["duplicates.keep=best", "chunk_attempts=1"]
    try await web.run("calm", Self.rows, options)
    let folder = web.runFolder("run")
    try FileManager.default.createDirectory(
      atPath: folder.decodedTable(0) + "/in the way", withIntermediateDirectories: true)
    #expect(try await !web.run("run", Self.rows, workers: 2, options).isComplete)
    #expect(try web.verdicts("run").count == 24)
    try FileManager.default.removeItem(atPath: folder.decodedTable(0))
    _ = try await QuarantineRelease.release(nil, in: folder)
    let mended = try await PipelineRun(
      recipe: try await PipelineRun.recipe(of: folder.path), folder: folder.path, workers: 1
    ).resume()
    #expect(mended.isComplete)
    #expect(try web.kept("run") == web.kept("calm"))
    #expect(try await RunVerifier.verify(folder, threads: 2).problems == [])
  }

  @Test("where the first nine chunks are given up the others are judged when all are decoded")
  func bestWithoutNine() async throws {
    let web = try DuplicateWeb()
    let options =
      Self.near + ["duplicates.keep=best", "chunk_attempts=1", "chunk_rows=2"]
    let folder = web.runFolder("run")
    for chunk in 0..<9 {
      try FileManager.default.createDirectory(
        atPath: folder.decodedTable(chunk) + "/in the way", withIntermediateDirectories: true)
    }
    let outcome = try await web.run("run", Self.rows, options)
    #expect(!outcome.isComplete)
    #expect(
      outcome.status.quarantined.filter { $0.error != nil }.map(\.job)
        == (0..<9).map { "decode \($0)" })
    #expect(try web.verdicts("run").keys.sorted() == Array(18..<30))
  }

  @Test("a picture under many captions is a placeholder, and none of it is kept")
  func placeholders() async throws {
    let web = try DuplicateWeb()
    // Scene 0 stands under five captions, scene 3 under one.
    let rows: [DuplicateWeb.Row] = (0..<24).map { row in
      switch row % 4 {
      case 0: ("/scene/0/\(90 - row)", "caption \(row % 5)")
      case 1: ("/scene/3/\(90 - row)", "Always  the same")
      default: ("/scene/\(100 + row)/80", "caption \(row)")
      }
    }
    try await web.run("run", rows, Self.near + ["duplicates.placeholders=4"])
    let verdicts = try web.verdicts("run")
    for row in rows.indices {
      let drop = verdicts[row]?.drop
      switch row % 4 {
      case 0:
        #expect(drop == Drop(.placeholder, detail: "under 5 captions"))
        #expect(verdicts[row]?.match == nil)
      case 1: #expect(drop == (row == 1 ? nil : Drop(.duplicatePicture, survivor: 1)))
      default: #expect(drop == nil)
      }
    }
    let table = try PairTable.read(web.runFolder("run").shardTable(0))
    #expect(table[0]["error_message"]?.text == "placeholder")
    // Bytes alone tell them apart otherwise: every one is a picture of its own.
    try await web.run("exact", rows, ["dedup=exact", "duplicates.placeholders=4"])
    #expect(try web.kept("exact") == Array(rows.indices))
  }

  @Test("a picture under many URLs is a placeholder, under one caption too")
  func placeholdersByURL() async throws {
    let web = try DuplicateWeb()
    let rows: [DuplicateWeb.Row] = (0..<12).map { row in
      row % 2 == 0 ? ("/scene/0/\(90 - row)", "a thing") : ("/scene/\(100 + row)/80", "a thing")
    }
    try await web.run("run", rows, Self.near + ["duplicates.placeholders={urls: 6, hosts: 2}"])
    let verdicts = try web.verdicts("run")
    for row in rows.indices {
      #expect(
        verdicts[row]?.drop
          == (row % 2 == 0 ? Drop(.placeholder, detail: "under 6 URLs") : nil))
    }
    // All of them come from one host.
    try await web.run("hosts", rows, ["dedup=exact", "duplicates.placeholders.hosts=2"])
    #expect(try web.kept("hosts") == Array(rows.indices))
  }

  @Test("a retry is judged against what is kept, and changes nothing of it")
  func retried() async throws {
    let web = try DuplicateWeb()
    for (name, options) in [("first", []), ("best", ["duplicates.keep=best"])] {
      let web = name == "first" ? web : try DuplicateWeb()
      var rows = Self.rows
      // Copies of rows that are kept, one larger than they are; and one that nobody has.
      rows[12].path = "/late/0/50"
      rows[13].path = "/late/777/50"
      rows[14].path = "/late/3/40"
      let all = Self.near + options
      try await web.run(name, rows, all)
      // Beside the shards stands how many pairs all of them have.
      let before = try web.files(name).filter { !$0.key.hasSuffix("sizes.json") }
      web.heal()
      let outcome = try await web.pipeline(name, rows, all).retry(where: "class = 'transient'")
      #expect(outcome.isComplete)
      let verdicts = try web.verdicts(name)
      #expect(verdicts[12]?.drop?.reason == .duplicatePicture)
      #expect(verdicts[13]?.drop == nil && verdicts[13] != nil)
      #expect(verdicts[14]?.drop?.reason == .duplicatePicture)
      let after = try web.files(name)
      for (file, bytes) in before { #expect(after[file] == bytes, "\(name): \(file)") }
    }
  }

  @Test("deduplication is done again with other rules, as in a new run")
  func redone() async throws {
    let web = try DuplicateWeb()
    try await web.run("run", Self.rows, ["keep=decoded"])
    let new = Self.near + ["keep=decoded", "duplicates.keep=best", "duplicates.caption_limit=4"]
    let run = try web.pipeline("run", Self.rows, new)
    await #expect(throws: ChangedOptionsError.self) { try await run.run() }
    try await run.redo(.deduplicate)
    #expect(try await run.run().isComplete)
    try await web.run("fresh", Self.rows, new)
    let (found, fresh) = (try web.files("run"), try web.files("fresh"))
    #expect(found.keys.sorted() == fresh.keys.sorted())
    for (file, bytes) in fresh { #expect(found[file] == bytes, "\(file)") }
  }

  @Test("a plan is made again when an evaluation set has grown")
  func grownSet() async throws {
    let web = try DuplicateWeb()
    let set = web.folder + "/benchmark"
    try DurableFile.makeFolder(set)
    func add(_ row: Int) throws {
      try DurableFile.write(
        try ImageEncoder.png(DuplicateWeb.scene(100 + row, side: 50)), to: "\(set)/item\(row).png")
    }
    try add(1)
    let options =
      Self.near + [
        "keep=decoded", "duplicates.keep=best", "duplicates.evaluation_sets=[\(set)]",
      ]
    try await web.run("run", Self.rows, options)
    try add(8)
    let run = try web.pipeline("run", Self.rows, options)
    await #expect(throws: ChangedOptionsError.self) { try await run.run() }
    try await run.redo(.deduplicate)
    #expect(try await run.run().isComplete)
    try await web.run("fresh", Self.rows, options)
    #expect(try web.kept("run") == web.kept("fresh"))
    #expect(try web.verdicts("run").values.contains { $0.drop?.reason == .evaluationSet })
  }

  @Test(
    "pictures of an evaluation set are dropped and named; a set that is not there stops the run first"
  )
  func evaluation() async throws {
    let web = try DuplicateWeb()
    let set = web.folder + "/benchmark"
    try DurableFile.makeFolder(set)
    for row in [1, 8] {
      try DurableFile.write(
        try ImageEncoder.png(DuplicateWeb.scene(100 + row, side: 50)), to: "\(set)/item\(row).png")
    }
    let options = Self.near + ["duplicates.evaluation_sets=[\(set)]"]
    let outcome = try await web.run("run", Self.rows, options)
    #expect(outcome.notes == ["evaluation set benchmark: 2 pictures or hashes"])
    #expect(try web.kept("run") == Self.distinct.filter { ![1, 8].contains($0) })
    let verdict = try #require(try web.verdicts("run")[8])
    #expect(verdict.drop == Drop(.evaluationSet))
    #expect(verdict.match?.uid == "item8.png" && verdict.match?.source == "benchmark")
    let table = try PairTable.read(web.runFolder("run").shardTable(1))
    #expect(table[2]["error_message"]?.text == "evaluation_set of item8.png in benchmark")
    // It is what the run goes by.
    try DurableFile.write([1], to: set + "/more.png")
    await #expect(throws: ChangedOptionsError.self) { try await web.run("run", Self.rows, options) }
    let missing = await #expect(throws: RecipeError.self) {
      try await web.run("none", Self.rows, ["duplicates.evaluation_sets=/nowhere"])
    }
    #expect(missing?.description.contains("/nowhere") == true)
    #expect(!DurableFile.exists(web.runFolder("none").ledger))
  }

  @Test("what an earlier run has kept is dropped, with its uid and the index that has it")
  func against() async throws {
    let web = try DuplicateWeb()
    try await web.run("old", Array(Self.rows[..<6]), Self.near)
    try await web.run(
      "new", Self.rows, Self.near + ["duplicates.against=[\(web.folder)/old]"])
    #expect(try web.kept("new") == Self.distinct.filter { $0 >= 6 })
    let verdicts = try web.verdicts("new")
    let uid = try JSONLines.read(web.runFolder("old").chunkTable(0), as: PairCandidate.init)[0].uid
    #expect(verdicts[0]?.drop == Drop(.duplicateBytes))
    #expect(verdicts[0]?.match == DuplicateMatch(uid: uid, source: "old"))
    #expect(verdicts[6]?.drop == Drop(.duplicatePicture))
    #expect(verdicts[6]?.match?.uid == uid)
    let missing = await #expect(throws: RecipeError.self) {
      try await web.run("none", Self.rows, Self.near + ["duplicates.against=[/nowhere]"])
    }
    #expect(missing?.description.contains("/nowhere") == true)
    #expect(missing?.description.contains("name an index file, or the folder of a run") == true)
    #expect(!DurableFile.exists(web.runFolder("none").ledger))
  }
}
