import ContentHashing
import DurableFiles
import Foundation
import PairDataset
import PipelineCore
import ShardMaintenance
import Testing
import URLPipeline

@Suite(.serialized) struct ForgetTests {
  static let filter = ["filter.min_score=0.05"]

  /// Whether any file of the run still has these bytes in it, tables unpacked.
  static func mentions(_ text: String, in web: MaintenanceWeb, _ name: String) throws -> [String] {
    let root = "\(web.folder)/\(name)"
    return try web.files(name).keys.filter { file in
      if file.hasSuffix(".parquet") {
        return try PairTable.read("\(root)/\(file)").contains { $0.serialized.contains(text) }
      }
      if file.contains(".tar") {
        var found = false
        try ShardReader(path: "\(root)/\(file)").forEach { pair in
          found =
            found || pair.caption.contains(text)
            || String(decoding: pair.metadata, as: UTF8.self).contains(text)
        }
        return found
      }
      return String(decoding: try DurableFile.read("\(root)/\(file)"), as: UTF8.self).contains(text)
    }
  }

  @Test(
    "a pair is gone from every file, the rest is as it was, and the run is clean",
    arguments: [[], filter, ["layout=img2dataset"]])
  func url(options: [String]) async throws {
    let web = try MaintenanceWeb()
    let scorer: ToyScorer? = options == Self.filter ? ToyScorer() : nil
    try await web.run("run", options, scorer: scorer)
    let folder = RunFolder(web.folder + "/run")
    let before = try web.rows("run")
    let untouched = try DurableFile.read(
      folder.shards + (options.first == "layout=img2dataset" ? "/00002.tar" : "/00002.tar.lz4"))
    let url = web.server.url("/ok/12")
    let request = try ForgetRequest(.url, url)

    let dry = try await Forgetter.forget([request], in: folder, isDryRun: true, now: 5)
    #expect(try web.rows("run") == before)
    #expect(!DurableFile.exists(folder.forgotten))
    let outcome = try await Forgetter.forget([request], in: folder, now: 5)
    #expect(outcome == dry)
    #expect(outcome.rows == [request: 1])
    #expect(outcome.pairs == 1)
    #expect(try web.rows("run") == before.filter { $0 != 12 })
    for text in [url, "caption 12", "note 12"] {
      #expect(try Self.mentions(text, in: web, "run") == [], "\(text)")
    }
    #expect(
      try DurableFile.read(
        folder.shards + (options.first == "layout=img2dataset" ? "/00002.tar" : "/00002.tar.lz4"))
        == untouched)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
    let status = try await PipelineRun.status(folder: folder.path)
    #expect(status.failures["forgotten"] == 1)
    #expect(status.pairs("kept") == before.count - 1)
    let entries = try ForgottenPairs.read(folder).entries
    #expect(entries.map(\.uids.count) == [1])
    #expect(entries[0].isDone)
    // Once more finds nothing and changes nothing.
    let files = try web.files("run")
    let again = try await Forgetter.forget([request], in: folder, now: 6)
    #expect(again.shards == [])
    #expect(try web.files("run") == files)
  }

  @Test("by hash, uid, host and the target of a redirect")
  func kinds() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    let before = try web.rows("run")
    let hash = ContentHash.sha256Hex(MaintenanceWeb.picture(0))
    let candidates = try JSONLines.read(folder.chunkTable(2), as: PairCandidate.init)
    let outcome = try await Forgetter.forget(
      [
        try ForgetRequest(.hash, hash.uppercased()), try ForgetRequest(.uid, candidates[1].uid),
        try ForgetRequest(.url, web.server.url("/target/19")),
      ], in: folder, now: 5)
    // Row 0 and its duplicate by bytes; row 21; row 19 came by way of a redirect.
    #expect(outcome.uids.count == 4)
    #expect(try web.rows("run") == before.filter { ![0, 19, 21].contains($0) })
    #expect(try Self.mentions(hash, in: web, "run") == ["forgotten.jsonl"])
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])

    let none = try await Forgetter.forget(
      [try ForgetRequest(.host, "example.org")], in: folder, now: 6)
    #expect(none.uids == [])
    let all = try await Forgetter.forget(
      [try ForgetRequest(.host, "127.0.0.1")], in: folder, now: 7)
    #expect(all.pairs == before.count - 3)
    #expect(try DatasetManifest.read(folder.dataset).shards == [])
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }

  @Test("what was forgotten is neither retried nor repaired back")
  func staysOut() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    // Row 18 failed and would heal; row 20 is in shard 2.
    try await Forgetter.forget(
      [
        try ForgetRequest(.url, web.server.url("/late/18")),
        try ForgetRequest(.url, web.server.url("/ok/20")),
      ], in: folder, now: 5)
    web.heal()
    #expect(
      try await PipelineRun.retryable(in: folder.path, where: "1").mayHeal == [.httpStatus: 1])
    let before = try web.rows("run")
    let asked = web.server.requests(of: "/ok/20")
    try DurableFile.remove(folder.shards + "/00002.tar.lz4")
    try DurableFile.remove(folder.shards + "/00001.tar.lz4")
    let report = try await RunVerifier.verify(folder, threads: 1)
    #expect(try await RunRepairer.repair(report, in: folder).refetches)
    try await web.resume("run")
    #expect(try web.rows("run") == before)
    #expect(web.server.requests(of: "/ok/20") == asked)
    #expect(web.server.requests(of: "/late/18") == 1)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }

  @Test("a pair that a retry has healed goes from both of its chunks")
  func afterRetry() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    web.heal()
    _ = try await PipelineRun(
      recipe: try await PipelineRun.recipe(of: folder.path), folder: folder.path, workers: 1
    ).retry(where: PipelineRun.usualRetry)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
    let before = try web.rows("run")
    #expect(before.last == 18)
    let url = web.server.url("/late/18")
    let outcome = try await Forgetter.forget([try ForgetRequest(.url, url)], in: folder, now: 5)
    #expect(outcome.rows.values.reduce(0, +) == 2)
    #expect(try web.rows("run") == before.dropLast())
    #expect(try Self.mentions(url, in: web, "run") == [])
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
    // The chunk of the retry had nothing else.
    #expect(!DurableFile.exists(folder.shards + "/00003.tar.lz4"))
  }

  @Test(
    "in a run that is not finished, what was fetched and not judged is fetched again without it")
  func unfinished() async throws {
    let web = try MaintenanceWeb()
    try await web.run("run")
    let folder = RunFolder(web.folder + "/run")
    let rows = try web.rows("run")
    // As a run that was stopped after the download of chunk 1.
    let ledger = try await RunFacts.ledger(of: folder)
    let facts = try await RunFacts(folder, ledger)
    try await ledger.reopen(
      [StageName.decode, .deduplicate, .shard].map { facts.job($0, 1) } + facts.publishing)
    let asked = web.server.requests(of: "/ok/12")
    try await Forgetter.forget(
      [try ForgetRequest(.url, web.server.url("/ok/12"))], in: folder, now: 5)
    #expect(try await ledger.state(of: facts.job(.download, 1)) == .available)
    try await web.resume("run")
    #expect(try web.rows("run") == rows.filter { $0 != 12 })
    #expect(web.server.requests(of: "/ok/12") == asked)
    #expect(try await RunVerifier.verify(folder, threads: 1).problems == [])
  }

  @Test("stopped after every step, the next request ends it, to the same files")
  func interrupted() async throws {
    struct Stop: Error {}
    let web = try MaintenanceWeb()
    try await web.run("run", Self.filter, scorer: ToyScorer())
    let requests = [
      try ForgetRequest(.url, web.server.url("/ok/12")),
      try ForgetRequest(.url, web.server.url("/ok/22")),
    ]
    try web.copy("run", to: "whole")
    let steps = Counter()
    try await Forgetter.forget(requests, in: RunFolder(web.folder + "/whole"), now: 5) {
      steps.add()
    }
    let whole = try web.files("whole")
    #expect(steps.count > 15)
    for stop in 1...steps.count {
      let name = "stopped-\(stop)"
      try web.copy("run", to: name)
      let folder = RunFolder("\(web.folder)/\(name)")
      let done = Counter()
      await #expect(throws: Stop.self) {
        try await Forgetter.forget(requests, in: folder, now: 5) {
          if done.add() == stop { throw Stop() }
        }
      }
      #expect(
        try await RunVerifier.verify(folder, threads: 1).problems.map(\.file)
          == ["forgotten.jsonl"])
      // Each shard is the old one or the new one, whole.
      for shard in ["shards/00001.tar.lz4", "shards/00002.tar.lz4"] {
        let bytes = try DurableFile.read("\(folder.path)/\(shard)")
        let old = try DurableFile.read("\(web.folder)/run/\(shard)")
        #expect(bytes == whole[shard] || bytes == old, "\(shard), stop \(stop)")
      }
      let outcome = try await Forgetter.forget([], in: folder, now: 9)
      #expect(outcome.hasResumed)
      let files = try web.files(name)
      #expect(files.keys.sorted() == whole.keys.sorted())
      for (file, bytes) in whole { #expect(files[file] == bytes, "\(file), stop \(stop)") }
      #expect(try await RunVerifier.verify(folder, threads: 1).problems == [], "stop \(stop)")
    }
  }

  @Test(
    "what names nothing of its kind is refused",
    arguments: [
      (ForgetRequest.Kind.url, "ftp://a/b"), (.url, "words"), (.host, "a.org/path"), (.host, ""),
      (.hash, "12ab"), (.uid, ""), (.uid, "two words"),
    ])
  func refused(kind: ForgetRequest.Kind, text: String) {
    #expect(throws: ForgetRequestError.self) { try ForgetRequest(kind, text) }
  }

  @Test("a host takes all hosts below it, and no other that ends alike")
  func hosts() throws {
    var forgotten = ForgottenPairs()
    forgotten.add(try ForgetRequest(.host, "Example.org"), at: 0, uids: [])
    func bears(on url: String) -> Bool { !forgotten.requests(uid: "u", urls: [url]).isEmpty }
    #expect(bears(on: "https://example.org/a"))
    #expect(bears(on: "https://a.b.EXAMPLE.org:8080/a"))
    #expect(!bears(on: "https://badexample.org/a"))
    #expect(!bears(on: "https://example.org.test/a"))
  }
}

/// A number that closures count up.
final class Counter: @unchecked Sendable {
  // Sendable: the lock guards the number.
  private let lock = NSLock()
  private var number = 0

  var count: Int { lock.withLock { number } }

  @discardableResult
  func add() -> Int {
    lock.withLock {
      number += 1
      return number
    }
  }
}
