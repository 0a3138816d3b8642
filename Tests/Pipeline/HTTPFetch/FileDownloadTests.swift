import ContentHashing
import FaultServer
import Foundation
import HTTPFetch
import Synchronization
import Testing

@Suite struct FileDownloadTests {
  /// A folder that goes with its owner.
  final class Folder {
    let path = NSTemporaryDirectory() + "file-download-\(UUID().uuidString)"
    deinit {
      do { try FileManager.default.removeItem(atPath: path) } catch { print("left: \(path)") }
    }
    var names: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
  }

  /// A server with one file, which cuts the first answers and takes ranges.
  final class Server: Sendable {
    let heads = Mutex<[String]>([])
    let cuts: [Int]
    let body: [UInt8]
    let validator: @Sendable (Int) -> String
    private let server = Mutex<AnswerServer?>(nil)

    init(
      _ body: [UInt8], cuts: [Int] = [],
      validator: @escaping @Sendable (Int) -> String = { _ in
        "ETag: \"v1\""
      }
    ) throws {
      self.body = body
      self.cuts = cuts
      self.validator = validator
      let made = try AnswerServer(heads: { [weak self] _, head in
        self?.answer(head) ?? .init(500)
      })
      server.withLock { $0 = made }
    }

    var url: String { server.withLock { $0?.url("/model.bin") ?? "" } }

    func answer(_ head: String) -> AnswerServer.Answer {
      let number = heads.withLock { heads in
        heads.append(head)
        return heads.count - 1
      }
      let line = validator(number)
      let tag = String(line.drop { $0 != " " }.dropFirst())
      var (start, status) = (0, 200)
      if let range = head.firstMatch(of: /Range: bytes=([0-9]+)-/), let asked = Int(range.1),
        (head + "\r\n").contains("If-Range: \(tag)\r\n")
      {
        guard asked < body.count else { return .init(416) }
        (start, status) = (asked, 206)
      }
      return AnswerServer.Answer(
        status,
        headers: [line]
          + (status == 206
            ? ["Content-Range: bytes \(start)-\(body.count - 1)/\(body.count)"] : []),
        body: Array(body[start...]), cut: number < cuts.count ? cuts[number] : nil)
    }
  }

  static let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
  static let hash = ContentHash.sha256Hex(body)

  static func download(_ url: String, _ path: String, sha256: String? = nil) -> FileDownload {
    var download = FileDownload(url, to: path, sha256: sha256)
    download.firstPause = 0.01
    return download
  }

  @Test("a cut file is gone on with where it was cut, and is whole at the end")
  func resumes() throws {
    let folder = Folder()
    let server = try Server(Self.body, cuts: [100_000, 50_000])
    let path = folder.path + "/sub/model.bin"
    var seen: [Int] = []
    let outcome = try Self.download(server.url, path, sha256: Self.hash.uppercased())
      .run { done, _ in seen.append(done) }
    #expect(outcome.bytes == 300_000 && outcome.sha256 == Self.hash)
    #expect(outcome.resumedFrom == 150_000)
    #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == Self.body)
    #expect(seen == seen.sorted() && seen.last == 300_000)
    let heads = server.heads.withLock { $0 }
    #expect(heads.count == 3 && !heads[0].contains("Range"))
    #expect(heads[2].contains("Range: bytes=150000-\r\n"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path + "/sub") == ["model.bin"])
    // What is there and right is not fetched again.
    #expect(try Self.download(server.url, path, sha256: Self.hash).run().wasThere)
    #expect(server.heads.withLock { $0.count } == 3)
  }

  @Test("a second call goes on from what the first has left")
  func secondCall() throws {
    let folder = Folder()
    let server = try Server(Self.body, cuts: [70_000])
    let path = folder.path + "/model.bin"
    var first = Self.download(server.url, path)
    first.attempts = 1
    #expect(throws: FileDownloadError.self) { try first.run() }
    #expect(try folder.names == ["model.bin.part", "model.bin.part.note"])
    let outcome = try Self.download(server.url, path).run()
    #expect(outcome.resumedFrom == 70_000 && outcome.sha256 == Self.hash)
  }

  @Test(
    "another file under the same URL, or one without a validator, is fetched from its start",
    arguments: ["ETag: \"changed\"", "ETag: W/\"v1\"", "X-None: 1"])
  func changed(line: String) throws {
    let folder = Folder()
    let isChange = line.contains("changed")
    let server = try Server(Self.body, cuts: [70_000]) { number in
      number == 0 && isChange ? "ETag: \"v1\"" : line
    }
    let outcome = try Self.download(server.url, folder.path + "/model.bin").run()
    #expect(outcome.resumedFrom == 0 && outcome.sha256 == Self.hash)
  }

  @Test("while one download writes a part, another leaves it alone and says so")
  func twoAtOnce() throws {
    let folder = Folder()
    // Without a validator the second would begin anew, in the first one's file.
    let server = try Server(Self.body) { _ in "X-None: 1" }
    let path = folder.path + "/model.bin"
    let error = Mutex<(any Error)?>(nil)
    let outcome = try Self.download(server.url, path).run { _, _ in
      guard error.withLock({ $0 == nil }) else { return }
      do { _ = try Self.download(server.url, path).run() } catch let second {
        error.withLock { $0 = second }
      }
    }
    #expect(
      error.withLock { $0 } as? FileDownloadError == .init(.inUse(path), url: server.url))
    #expect(outcome.sha256 == Self.hash)
    #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == Self.body)
    #expect(try folder.names == ["model.bin"])
  }

  @Test("a file that is there is taken by a digest, never by its size")
  func standing() throws {
    let folder = Folder()
    let server = try Server(Self.body)
    let path = folder.path + "/model.bin"
    try FileManager.default.createDirectory(
      atPath: folder.path, withIntermediateDirectories: true)
    func put(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
    var blob = GitBlobHash(byteCount: Self.body.count)
    blob.update(Self.body)
    var download = Self.download(server.url, path)
    download.size = Self.body.count
    try put(Array(Self.body.reversed()))
    #expect(try !download.run().wasThere)
    download.gitBlob = blob.hexDigest()
    #expect(try download.run().wasThere)
    try put(Array(Self.body.reversed()))
    #expect(try !download.run().wasThere)
    download.gitBlob = nil
    download.formerSHA256 = Self.hash
    #expect(try download.run().wasThere)
    try put(Array(Self.body.reversed()))
    #expect(try !download.run().wasThere)
    #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == Self.body)
    // Other bytes than git's name says are not published.
    let expected = String(repeating: "0", count: 40)
    download.gitBlob = expected
    let error = #expect(throws: FileDownloadError.self) { try download.run() }
    #expect(error?.problem == .wrongBlob(expected: expected, actual: blob.hexDigest()))
  }

  @Test("a wrong hash publishes nothing and keeps nothing")
  func wrongHash() throws {
    let folder = Folder()
    let server = try Server(Self.body)
    let expected = String(repeating: "0", count: 64)
    let error = #expect(throws: FileDownloadError.self) {
      try Self.download(server.url, folder.path + "/model.bin", sha256: expected).run()
    }
    #expect(error?.problem == .wrongHash(expected: expected, actual: Self.hash))
    #expect(try folder.names == [])
  }

  @Test(
    "what lasts is told at once, what may pass is tried again",
    arguments: [(404, 1), (401, 1), (403, 1), (500, 3), (429, 3)])
  func statuses(status: Int, requests: Int) throws {
    let folder = Folder()
    let server = try AnswerServer { _ in .init(status) }
    var download = Self.download(server.url("/x"), folder.path + "/model.bin")
    download.attempts = 3
    let error = #expect(throws: FileDownloadError.self) { try download.run() }
    #expect(error?.problem == .status(status))
    #expect(server.requests(of: "/x") == requests)
  }

  @Test("the token goes to the host that was named, and to no other")
  func token() throws {
    let folder = Folder()
    let secret = "hf_secret"
    let heads = Mutex<[String]>([])
    let store = try AnswerServer(heads: { _, head in
      heads.withLock { $0.append("store " + head) }
      return .init(200, body: Self.body)
    })
    let target = store.url("/blob")
    let hub = try AnswerServer(heads: { path, head in
      heads.withLock { $0.append("hub " + head) }
      return path == "/start"
        ? .init(302, headers: ["Location: /second"], body: [1, 2, 3])
        : .init(307, headers: ["Location: \(target)"])
    })
    var download = Self.download(hub.url("/start"), folder.path + "/model.bin", sha256: Self.hash)
    download.token = secret
    #expect(try download.run().bytes == 300_000)
    let seen = heads.withLock { $0 }
    #expect(seen.count == 3)
    #expect(seen.map { $0.contains(secret) } == [true, true, false])
    // Nor is it written anywhere.
    #expect(try folder.names == ["model.bin"])
  }

  @Test("a redirect without an end is refused")
  func loop() throws {
    let folder = Folder()
    let server = try AnswerServer { _ in .init(302, headers: ["Location: /x"]) }
    let error = #expect(throws: FileDownloadError.self) {
      try Self.download(server.url("/x"), folder.path + "/model.bin").run()
    }
    #expect(error?.problem == .tooManyRedirects)
  }

  @Test("more bytes than allowed are refused before they come, or when they do")
  func limits() throws {
    let folder = Folder()
    let server = try Server(Self.body)
    var download = Self.download(server.url, folder.path + "/model.bin")
    download.maxBytes = 1_000
    let error = #expect(throws: FileDownloadError.self) { try download.run() }
    #expect(error?.problem == .tooLarge(bytes: 300_000, limit: 1_000))
    let endless = try FaultServer()
    download.url = "http://127.0.0.1:\(endless.port)/endless-page"
    download.maxBytes = 2_000_000
    let other = #expect(throws: FileDownloadError.self) { try download.run() }
    guard case .tooLarge? = other?.problem else {
      Issue.record("\(String(describing: other))")
      return
    }
    #expect(try folder.names == [])
  }

  @Test("what is no URL of the web is refused", arguments: ["file:///etc/passwd", "x", ""])
  func badURL(url: String) {
    #expect(throws: FileDownloadError(.badURL, url: url)) {
      try Self.download(url, NSTemporaryDirectory() + "never").run()
    }
  }

  @Test("repositories are named as the hub names them")
  func repositories() throws {
    let repository = try #require(
      HubRepository("hub:laion/CLIP-ViT@refs/pr/1", endpoint: "http://h/"))
    #expect(
      repository.listing == "http://h/api/models/laion/CLIP-ViT/revision/refs%2Fpr%2F1?blobs=true")
    #expect(
      repository.url(of: "a.bin", commit: "12ab") == "http://h/laion/CLIP-ViT/resolve/12ab/a.bin")
    #expect(HubRepository("hub:gpt2")?.revision == "main")
    for text in [
      "hub:", "hub:a/b/c", "hub:../x", "hub:a/..", "hub:a/b@", "hub:a b/c", "hub:a/b@../x",
    ] {
      #expect(HubRepository(text) == nil, "\(text)")
    }
  }

  @Test("of a repository's files those are chosen that the libraries would load")
  func chosen() {
    let files = [
      "README.md", "open_clip_pytorch_model.bin", "open_clip_model.safetensors",
      "open_clip_config.json", "tokenizer.json", "pytorch_model.bin", "merges.txt",
    ]
    #expect(
      HubRepository.chosen(of: files)
        == ["open_clip_model.safetensors", "open_clip_config.json", "tokenizer.json", "merges.txt"])
    #expect(
      HubRepository.chosen(of: ["pytorch_model.bin", "config.json"]).first == "pytorch_model.bin")
    #expect(
      HubRepository.chosen(of: [
        "model.safetensors.index.json", "model-00002-of-00002.safetensors",
        "model-00001-of-00002.safetensors", "config.json",
      ]) == [
        "model.safetensors.index.json", "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors", "config.json",
      ])
    #expect(HubRepository.chosen(of: ["README.md"]).isEmpty)
  }
}
