import ContentHashing
import FaultServer
import Foundation
import Synchronization
import Testing

/// What `pairloom model fetch` makes of a hub's listing: its commit, its names of bytes, its sizes.
@Suite(.serialized) struct ModelFetchCommitTests {
  /// A hub whose files have the same sizes at each commit, without a SHA-256.
  final class Hub: Sendable {
    /// The commit that `main` points to, and whether the listing gives git's names.
    let state = Mutex(("a1", true))
    let requests = Mutex<[String]>([])
    private let server = Mutex<AnswerServer?>(nil)

    init() throws {
      let made = try AnswerServer(heads: { [weak self] path, _ in
        self?.answer(path) ?? .init(500)
      })
      server.withLock { $0 = made }
    }

    var environment: [String: String] {
      ["HF_ENDPOINT": server.withLock { $0?.url("") ?? "" }]
    }

    static func bytes(_ commit: String, _ name: String) -> [UInt8] {
      // The weights stay the same from commit to commit.
      Array((name.hasSuffix("safetensors") ? "weights!" : "{\"v\": \"\(commit)\"}").utf8)
    }

    private func answer(_ path: String) -> AnswerServer.Answer {
      let (commit, tellsBlobs) = state.withLock { $0 }
      requests.withLock { $0.append(path) }
      if path.hasPrefix("/api/") {
        let siblings = ["model.safetensors", "config.json"].map { name in
          let bytes = Self.bytes(commit, name)
          var hash = GitBlobHash(byteCount: bytes.count)
          hash.update(bytes)
          let blob = tellsBlobs ? ", \"blobId\": \"\(hash.hexDigest())\"" : ""
          return "{\"rfilename\": \"\(name)\", \"size\": \(bytes.count)\(blob)}"
        }
        let text = "{\"sha\": \"\(commit)\", \"siblings\": [\(siblings.joined(separator: ","))]}"
        return .init(200, body: Array(text.utf8))
      }
      let parts = path.split(separator: "/").map(String.init)
      guard parts.count == 5, parts[2] == "resolve" else { return .init(404) }
      return .init(200, body: Self.bytes(parts[3], parts[4]))
    }
  }

  @Test(
    "files of one size from two commits never come together, and what is right is not fetched again",
    arguments: [true, false])
  func commits(tellsBlobs: Bool) throws {
    let folder = try TemporaryFolder()
    let hub = try Hub()
    func fetch(_ commit: String) throws -> [String] {
      hub.state.withLock { $0 = (commit, tellsBlobs) }
      hub.requests.withLock { $0 = [] }
      let result = try Program.run(
        ["model", "fetch", "hub:org/clip", "--out", folder.path], environment: hub.environment)
      #expect(result.status == 0, "\(result.error)")
      for name in ["model.safetensors", "config.json"] {
        let file = URL(fileURLWithPath: folder.path + "/" + name)
        #expect(try [UInt8](Data(contentsOf: file)) == Hub.bytes(commit, name))
      }
      return hub.requests.withLock { $0.filter { $0.contains("resolve") } }
    }
    #expect(try fetch("a1").count == 2)
    #expect(try fetch("a1") == [])
    // With git's names the weights are known to be the same; without, nobody can tell.
    let config = "/org/clip/resolve/b2/config.json"
    #expect(
      try fetch("b2") == (tellsBlobs ? [] : ["/org/clip/resolve/b2/model.safetensors"]) + [config])
    let record = try String(contentsOfFile: folder.path + "/fetched.json", encoding: .utf8)
    #expect(record.contains("\"b2\"") && !record.contains("resolve/a1"))
    // A file that somebody changed is seen, at the same commit too.
    try Data(Hub.bytes("zz", "config.json"))
      .write(to: URL(fileURLWithPath: folder.path + "/config.json"))
    #expect(try fetch("b2") == [config])
  }

  @Test(
    "sizes that no file has are refused, and many large ones do not overflow",
    arguments: [
      ([Int.max, Int.max], "size of 9223372036854775807"), ([-5, 3], "size of -5"),
      ([Int.min, 3], "size of -9223372036854775808"), ([1 << 50, 1 << 50], "the limit is"),
    ])
  func sizes(sizes: [Int], words: String) throws {
    let folder = try TemporaryFolder()
    let siblings = zip(["model.safetensors", "config.json"], sizes).map {
      "{\"rfilename\": \"\($0)\", \"size\": \($1)}"
    }
    let text = "{\"sha\": \"a1\", \"siblings\": [\(siblings.joined(separator: ","))]}"
    let server = try AnswerServer { _ in .init(200, body: Array(text.utf8)) }
    let result = try Program.run(
      ["model", "fetch", "hub:org/clip", "--out", folder.path],
      environment: ["HF_ENDPOINT": server.url("")])
    #expect(result.status == 1 && result.error.contains(words), "\(result.error)")
  }
}
