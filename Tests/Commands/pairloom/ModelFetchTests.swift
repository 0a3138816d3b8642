import ContentHashing
import FaultServer
import Foundation
import PipelineCore
import Synchronization
import Testing

@Suite(.serialized) struct ModelFetchTests {
  static let weights = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 13 >> 2) }
  static let hash = ContentHash.sha256Hex(weights)

  /// A hub with one repository, whose large file lies on another server.
  final class Hub: Sendable {
    let heads = Mutex<[String]>([])
    private let servers = Mutex<[AnswerServer]>([])

    init(hash: String = ModelFetchTests.hash, cut: Int? = nil) throws {
      let isCut = Mutex(false)
      let store = try AnswerServer(heads: { [weak self] _, head in
        self?.heads.withLock { $0.append("store " + head) }
        let isFirst = isCut.withLock { was in
          defer { was = true }
          return !was
        }
        if let range = head.firstMatch(of: /Range: bytes=([0-9]+)-/), let start = Int(range.1) {
          let count = ModelFetchTests.weights.count
          return .init(
            206,
            headers: ["ETag: \"w\"", "Content-Range: bytes \(start)-\(count - 1)/\(count)"],
            body: Array(ModelFetchTests.weights[start...]))
        }
        return .init(
          200, headers: ["ETag: \"w\""], body: ModelFetchTests.weights, cut: isFirst ? cut : nil)
      })
      let blob = store.url("/blob")
      let listing = """
        {"sha": "abc123", "siblings": [{"rfilename": "README.md", "size": 3},
         {"rfilename": "open_clip_config.json", "size": 2},
         {"rfilename": "open_clip_model.safetensors",
          "size": \(ModelFetchTests.weights.count),
          "lfs": {"sha256": "\(hash)", "size": \(ModelFetchTests.weights.count)}}]}
        """
      let hub = try AnswerServer(heads: { [weak self] path, head in
        self?.heads.withLock { $0.append("hub " + head) }
        switch path {
        case "/api/models/org/clip/revision/main?blobs=true":
          return .init(200, body: Array(listing.utf8))
        case "/org/clip/resolve/abc123/open_clip_config.json":
          return .init(200, body: Array("{}".utf8))
        case "/org/clip/resolve/abc123/open_clip_model.safetensors":
          return .init(302, headers: ["Location: \(blob)"])
        default: return .init(404)
        }
      })
      servers.withLock { $0 = [hub, store] }
    }

    var url: String { servers.withLock { $0[0].url("") } }
    var store: String { servers.withLock { $0[1].url("") } }
    var environment: [String: String] { ["HF_ENDPOINT": url, "HF_TOKEN": "hf_secret"] }
  }

  @Test("a repository's files come, checked, and the token goes to the hub alone")
  func repository() throws {
    let folder = try TemporaryFolder()
    let hub = try Hub(cut: 90_000)
    let out = folder.path + "/model"
    let result = try Program.run(
      ["model", "fetch", "hub:org/clip", "--out", out], environment: hub.environment)
    #expect(result.status == 0, "\(result.error)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: out).sorted()
        == ["fetched.json", "open_clip_config.json", "open_clip_model.safetensors"])
    let file = URL(fileURLWithPath: out + "/open_clip_model.safetensors")
    #expect(try [UInt8](Data(contentsOf: file)) == Self.weights)
    let heads = hub.heads.withLock { $0 }
    for head in heads { #expect(head.contains("hf_secret") == head.hasPrefix("hub "), "\(head)") }
    #expect(heads.contains { $0.hasPrefix("store ") && $0.contains("Range: bytes=90000-") })
    let record = String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: out + "/fetched.json")), as: UTF8.self)
    #expect(record.contains(Self.hash) && record.contains("abc123"))
    for text in [result.output, result.error, record] { #expect(!text.contains("hf_secret")) }
    #expect(result.error.contains("pairloom score") && result.error.contains("went on from"))
    // A second time nothing large is fetched.
    let again = try Program.run(
      ["model", "fetch", "hub:org/clip", "--out", out], environment: hub.environment)
    #expect(again.status == 0 && again.error.contains("was there already"))
    #expect(hub.heads.withLock { $0.filter { $0.hasPrefix("store ") }.count } == 2)
  }

  @Test("another file than the hub speaks of is refused, and named")
  func wrongHash() throws {
    let folder = try TemporaryFolder()
    let hub = try Hub(hash: String(repeating: "5", count: 64))
    let out = folder.path + "/model"
    let result = try Program.run(
      ["model", "fetch", "hub:org/clip", "--out", out], environment: hub.environment)
    #expect(result.status == 1 && result.error.contains(Self.hash), "\(result.error)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: out).allSatisfy {
        !$0.contains("safetensors")
      })
  }

  @Test("a file that is not there, and a bad name, are told plainly")
  func missing() throws {
    let folder = try TemporaryFolder()
    let hub = try Hub()
    let out = folder.path + "/model"
    for (arguments, words, code) in [
      (["hub:org/none"], "no such file", 1),
      (["hub:org/clip", "--file", "x.bin"], "open_clip_config", 2),
      (["hub:org/../x"], "hub:ORG/NAME", 2),
      ([hub.store + "/blob", "--max-bytes", "1kB"], "--max-bytes", 1),
      (["hub:org/clip", "--sha256", "12"], "64 hexadecimal", 2),
    ] as [([String], String, Int32)] {
      let result = try Program.run(
        ["model", "fetch"] + arguments + ["--out", out], environment: hub.environment)
      #expect(
        result.status == code && result.error.contains(words), "\(arguments): \(result.error)")
    }
  }

  @Test("a URL is fetched without a token, under its own name or another")
  func url() throws {
    let folder = try TemporaryFolder()
    let hub = try Hub()
    for name in [nil, "w.bin"] {
      let out = folder.path + "/" + (name ?? "own")
      let result = try Program.run(
        ["model", "fetch", hub.store + "/blob", "--sha256", Self.hash, "--out", out, "--json"]
          + (name.map { ["--file", $0] } ?? []), environment: hub.environment)
      #expect(result.status == 0, "\(result.error)")
      let path = "\(out)/\(name ?? "blob")"
      #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == Self.weights)
      #expect(try JSONValue.parse(Array(result.output.utf8))["files"] != nil)
    }
    #expect(hub.heads.withLock { $0.allSatisfy { !$0.contains("hf_secret") } })
  }
}
