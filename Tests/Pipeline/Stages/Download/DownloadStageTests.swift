import ContentHashing
import CrawlPolicy
import DownloadStage
import DurableFiles
import FaultServer
import Foundation
import HTTPFetch
import PairDataset
import PipelineCore
import Testing

@Suite struct DownloadStageTests {
  /// Downloads candidates as chunk 0 and gives its report and table.
  private func download(
    _ candidates: [PairCandidate], verifies: Bool = false, blocklist: HashBlocklist? = nil,
    denying hosts: [String] = [], forgetting requests: [ForgetRequest] = []
  ) async throws -> (report: StageReport, rows: [FetchedRow], bytes: [UInt8]) {
    let folder = RunFolder(
      FileManager.default.temporaryDirectory.path + "/download-" + UUID().uuidString)
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try folder.make()
    try DurableFile.write(
      candidates.map { $0.json.serialized + "\n" }.joined(), to: folder.chunkTable(0))
    var forgotten = ForgottenPairs()
    for request in requests { forgotten.add(request, at: 0, uids: []) }
    if !requests.isEmpty { try forgotten.write(to: folder) }
    var options = FetchOptions()
    options.allowAddresses = ["127.0.0.0/8"]
    options.policy.profile = .off
    options.policy.denyHosts = hosts
    let fetcher = try Fetcher(options: options)
    defer { fetcher.shutDown() }
    let stage = DownloadStage(fetcher: fetcher, verifiesHashes: verifies, blocklist: blocklist)
    let context = StageContext(folder: folder) { _ in [] }
    let report = try await stage.run(Chunk(number: 0, attempt: 3), in: context)
    return (
      report,
      try PairTable.read(folder.fetchedTable(0, attempt: 3), as: FetchedRow.init),
      try DurableFile.read(folder.fetchedBytes(0, attempt: 3))
    )
  }

  private func candidate(_ row: Int, _ url: String, hash: String? = nil) -> PairCandidate {
    PairCandidate(row: row, uid: "u\(row)", url: url, caption: "c", expectedHash: hash)
  }

  @Test("a body that is not the list's, by any of three hashes, is dropped; the right one is kept")
  func verifiesHashes() async throws {
    let server = try FaultServer()
    let body = (0..<100).map { UInt8(truncatingIfNeeded: $0 &* 7) }  // what /ok/100 serves
    var candidates: [PairCandidate] = []
    for algorithm in HashAlgorithm.allCases {
      let right = algorithm.hexDigest(of: body)
      let wrong = algorithm.hexDigest(of: body + [0])
      let row = candidates.count
      candidates.append(candidate(row, server.url("/ok/100?\(row)"), hash: right))
      candidates.append(candidate(row + 1, server.url("/ok/100?\(row + 1)"), hash: wrong))
    }
    candidates.append(candidate(candidates.count, server.url("/ok/100?none")))
    let (report, rows, _) = try await download(candidates, verifies: true)
    #expect(
      rows.map(\.drop?.reason) == [nil, .hashMismatch, nil, .hashMismatch, nil, .hashMismatch, nil])
    #expect(report.dropped == ["hash_mismatch": 3])
    #expect(rows.allSatisfy { $0.sha256 == ContentHash.sha256Hex(body) })
    let unchecked = try await download(candidates)
    #expect(unchecked.report.kept == candidates.count)
  }

  @Test("a redirect to what was forgotten brings nothing back, neither body nor the way to it")
  func forgottenTargets() async throws {
    let server = try FaultServer()
    let candidates = [
      candidate(0, server.url("/redirect/2")), candidate(1, server.url("/ok/11")),
      candidate(2, server.url("/redirect/1/x")),
    ]
    for (place, expected) in [
      // Where it ends; a hop on the way; another URL.
      ("/ok/10", [DropReason.forgotten, nil, .forgotten]),
      ("/redirect/1", [.forgotten, nil, nil]), ("/ok/12", [nil, nil, nil]),
    ] {
      let (report, rows, bytes) = try await download(
        candidates, forgetting: [try ForgetRequest(.url, server.url(place))])
      #expect(rows.map(\.drop?.reason) == expected, "\(place)")
      let kept = rows.filter { $0.drop == nil }
      #expect(bytes.count == kept.reduce(0) { $0 + ($1.bytes?.length ?? 0) })
      #expect(report.kept == kept.count)
      for row in rows where row.drop != nil { #expect(row.record.isEmpty && row.sha256 == nil) }
    }
    let host = try await download(candidates, forgetting: [try ForgetRequest(.host, "127.0.0.1")])
    #expect(host.bytes.isEmpty)
  }

  @Test("a body on the blocklist is dropped, by SHA-256 or MD5")
  func blocklist() async throws {
    let server = try FaultServer()
    let body = (0..<50).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for algorithm in [HashAlgorithm.sha256, .md5] {
      let list = try HashBlocklist(
        text: Array((algorithm.hexDigest(of: body) + "\n").utf8), name: "list")
      let (report, rows, _) = try await download(
        [candidate(0, server.url("/ok/50")), candidate(1, server.url("/ok/51"))], blocklist: list)
      #expect(rows.map(\.drop?.reason) == [.hashBlocked, nil])
      #expect(report.kept == 1)
    }
  }

  @Test("a picture of an existing shard is copied, not fetched")
  func copies() async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/tars-" + UUID().uuidString
    try DurableFile.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let writer = try ShardWriter(folder: folder, name: "old", compression: .none)
    try writer.append(Pair(key: "k", caption: "c", image: [1, 2, 3], metadata: []))
    _ = try writer.finish()
    // The first member's header has 512 bytes.
    let source = PictureSource(
      tar: folder + "/old.tar", key: "k", bytes: ByteRange(offset: 512, length: 3))
    let (report, rows, bytes) = try await download([
      PairCandidate(row: 0, uid: "u", url: "", caption: "c", picture: source)
    ])
    #expect(report.kept == 1)
    #expect(bytes == [1, 2, 3])
    #expect(rows[0].sha256 == ContentHash.sha256Hex([1, 2, 3]))
  }

  @Test("the table keeps the transfer: final URL, hops, address, protocol, tries, times")
  func record() async throws {
    let server = try FaultServer()
    let (_, rows, bytes) = try await download([candidate(0, server.url("/redirect/2"))])
    let record = JSONValue.object(rows[0].record)
    #expect(record["final_url"]?.text == server.url("/ok/10"))
    #expect(record["redirects"]?.integer == 2)
    #expect(record["tries"]?.integer == 1)
    #expect(record["address"]?.text == "127.0.0.1")
    #expect(record["protocol"]?.text == "http/1.1")
    #expect(record["received_bytes"]?.integer == 10)
    guard case .array(let hops)? = record["hops"] else {
      Issue.record("no hops: \(record.serialized)")
      return
    }
    #expect(hops.map { $0["status"]?.integer } == [302, 302, 200])
    #expect(record["first_byte_seconds"]?.double.map { $0 >= 0 } == true)
    #expect(bytes.count == 10)
  }

  @Test("a row that is refused before it is asked for has no times; what is asked for has them")
  func timesOfTheUnasked() async throws {
    let server = try FaultServer()
    let (_, rows, _) = try await download(
      [
        candidate(0, "http://denied.test/"), candidate(1, server.url("/ok/10")),
        candidate(2, server.url("/status/404")),
      ], denying: ["denied.test"])
    #expect(rows.map(\.drop?.reason) == [.hostDenied, nil, .httpStatus])
    #expect(rows.map { $0.number("tries") == 0 } == [true, false, false])
    for name in ["started_at", "seconds"] {
      #expect(rows.map { $0.number(name) == nil } == [true, false, false], "\(name)")
    }
    // Milliseconds of this century.
    #expect(rows[1...].allSatisfy { $0.number("started_at") ?? 0 > 1_500_000_000_000 })
  }
}
