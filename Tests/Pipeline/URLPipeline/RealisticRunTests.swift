import DurableFiles
import Foundation
import PairDataset
import PipelineCore
import Testing
import URLPipeline

/// The pictures, lists and badly behaved web of `../shared/data`; absent on a user's machine.
enum SharedData {
  static let root: String = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { url.deleteLastPathComponent() }
    return url.appendingPathComponent("../shared/data").standardized.path
  }()
  static var isPresent: Bool { FileManager.default.fileExists(atPath: root + "/serve.py") }

  static func python(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    process.standardOutput = FileHandle.nullDevice
    return process
  }

  static func run(_ process: Process) throws {
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}

/// A list over the shared web, and the truth about it.
final class SharedWeb {
  let folder = FileManager.default.temporaryDirectory.path + "/web-" + UUID().uuidString
  private let server: Process
  let port: Int

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let root = SharedData.root
    server = SharedData.python([
      root + "/serve.py", "--root", root + "/corpus", "--root", root + "/variants", "--root",
      root + "/exotic", "--port", "0", "--port-file", folder + "/port",
    ])
    try server.run()
    // The file appears by rename when the server listens.
    while !FileManager.default.fileExists(atPath: folder + "/port") && server.isRunning {
      usleep(10_000)
    }
    port = try #require(Int(try String(contentsOfFile: folder + "/port", encoding: .utf8)))
  }

  deinit {
    // SIGTERM would stay pending: a child inherits the signals that dispatch has blocked here.
    kill(server.processIdentifier, SIGKILL)
    server.waitUntilExit()
    try? FileManager.default.removeItem(atPath: folder)
  }

  func makeList(rows: Int, preset: String, _ options: [String] = []) throws -> (
    list: String, truth: [JSONValue]
  ) {
    try SharedData.run(
      SharedData.python(
        [
          SharedData.root + "/make_lists.py", "-n", "\(rows)", "--preset", preset, "--base",
          "http://127.0.0.1:\(port)", "--out", folder + "/list", "--formats", "csv",
        ] + options))
    return (folder + "/list.csv", try JSONLines.read(folder + "/list.truth.jsonl"))
  }

  /// The rows of `chunked-bad` whose answers end before a bad chunk, as those of small pictures do.
  func rowsWithoutBadChunk() throws -> Set<Int> {
    let script = """
      import json, socket, sys, urllib.parse
      for row in map(json.loads, open(sys.argv[1])):
          if row['fault'] != 'chunked-bad': continue
          url = urllib.parse.urlsplit(row['url'])
          with socket.create_connection((url.hostname, url.port)) as s:
              s.sendall(f'GET {url.path} HTTP/1.1\\r\\nHost: {url.netloc}\\r\\n\\r\\n'.encode())
              if not b''.join(iter(lambda: s.recv(65536), b'')).endswith(b'zz-not-hex\\r\\n'):
                  print(row['row'])
      """
    let process = SharedData.python(["-c", script, folder + "/list.truth.jsonl"])
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return Set(String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { Int($0) })
  }

  /// Makes errors that heal fail again.
  func reset() throws {
    try SharedData.run(
      SharedData.python([
        "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:\(port)/_reset').read()",
      ]))
  }

  func run(_ list: String, into name: String, workers: Int, _ options: [String] = []) throws
    -> PipelineRun
  {
    let recipe = try PipelineRecipe(
      yaml: "", path: "test",
      overrides: [
        "input=\(list)", "allow_addresses=127.0.0.0/8", "chunk_rows=60", "image_size=64",
        "download.backoff_base=0.02", "download.retry_after_cap=1",
      ] + options)
    return try PipelineRun(recipe: recipe, folder: folder + "/" + name, workers: workers)
  }

  /// Every file of a run that must be the same everywhere, by name.
  func outputs(_ name: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for part in ["chunks", "decoded", "deduplicated", "shards", "filtered"] {
      guard DurableFile.exists("\(folder)/\(name)/\(part)") else { continue }
      for file in try DurableFile.names(in: "\(folder)/\(name)/\(part)") {
        files["\(part)/\(file)"] = try DurableFile.read("\(folder)/\(name)/\(part)/\(file)")
      }
    }
    files["dataset.json"] = try DurableFile.read("\(folder)/\(name)/dataset.json")
    return files
  }
}

@Suite(.serialized, .enabled(if: SharedData.isPresent)) struct RealisticRunTests {
  /// The reasons that are right for each class of the truth file.
  static let accepted: [String: Set<DropReason>] = [
    "http_status": [.httpStatus], "redirect": [.redirect],
    "connect": [.connect, .dns, .noSuchHost],
    "not_image": [.notAnImage, .unsupportedFormat, .empty], "incomplete": [.incomplete],
    "protocol": [.protocolError], "timeout": [.timeout], "too_large": [.tooLarge],
    // A gzip bomb's zeros are no picture from their first bytes on.
    "bomb": [.tooManyPixels, .tooLarge, .notAnImage], "bad_url": [.badURL],
    "robots": [.robots],
    // corrupt-head overwrites the signature, and a picture without one cannot be told from text.
    "decode": [.corrupt, .truncated, .notAnImage],
  ]

  @Test("every row's fate agrees with the truth", arguments: ["realistic", "hostile"])
  func fates(_ preset: String) async throws {
    let web = try SharedWeb()
    let (list, truth) = try web.makeList(rows: 400, preset: preset)
    // hang and hang-mid never answer; slow/2 and its like do after two seconds.
    let run = try web.run(
      list, into: "run", workers: 2, ["download.total_deadline=5", "download.attempts=3"])
    let outcome = try await run.run()
    #expect(outcome.isComplete)
    #expect(outcome.status.isFinished)

    var rows: [JSONValue] = []
    for name in try DurableFile.names(in: web.folder + "/run/shards")
    where name.hasSuffix(".parquet") {
      rows += try PairTable.read(web.folder + "/run/shards/" + name)
    }
    #expect(rows.map { $0["row"]?.integer } == truth.map { $0["row"]?.integer })
    let cut = try web.rowsWithoutBadChunk()
    var kept = 0
    for (fate, known) in zip(rows, truth) {
      let where_ =
        "row \(known["row"]?.integer ?? -1), \(known["fault"]?.text ?? ""): \(fate.serialized)"
      let reason = fate["reason"]?.text.flatMap(DropReason.init(rawValue:))
      #expect(fate["caption"]?.text == known["caption"]?.text)
      #expect((reason == nil) == (fate["status"]?.text == "success"))
      if reason == nil { kept += 1 }
      switch (known["expect"]?.text, reason) {
      case ("success", .duplicateBytes), ("success_with_retry", .duplicateBytes):
        let survivor = try #require(fate["of"]?.integer)
        #expect(truth[survivor]["sha256"]?.text == known["sha256"]?.text, "\(where_)")
      case ("success", .duplicateURL), ("success_with_retry", .duplicateURL):
        let survivor = try #require(fate["of"]?.integer)
        #expect(truth[survivor]["path"]?.text == known["path"]?.text, "\(where_)")
      case ("success", .duplicatePicture), ("success_with_retry", .duplicatePicture):
        // Of one group: the truth's copies, made on purpose.
        let survivor = try #require(fate["of"]?.integer)
        #expect(truth[survivor]["picture"]?.text == known["picture"]?.text, "\(where_)")
      case ("success", _), ("success_with_retry", _):
        #expect(reason == nil, "\(where_)")
        #expect(fate["sha256"]?.text == known["sha256"]?.text, "\(where_)")
      case ("fail", _), ("policy", _):
        var right = Self.accepted[known["error_class"]?.text ?? ""] ?? []
        if let row = known["row"]?.integer, cut.contains(row) { right = [.incomplete] }
        #expect(reason.map { right.contains($0) || $0 == .duplicateURL } == true, "\(where_)")
      default: break  // `depends`: either fate can be defended
      }
    }
    let manifest = try DatasetManifest.read(outcome.dataset)
    #expect(manifest.pairs == kept)
    #expect(outcome.status.pairs("kept") == kept)
    #expect(outcome.status.pairs("rows") == 400)
    #expect(outcome.status.failures.values.reduce(0, +) == 400 - kept)
    #expect(
      try DurableFile.names(in: web.folder + "/run/fetched").allSatisfy { $0.hasSuffix(".parquet") }
    )
    #expect(
      try DurableFile.names(in: web.folder + "/run/decoded").allSatisfy { $0.hasSuffix(".parquet") }
    )
  }

  @Test("one worker, four workers and a run that was stopped and resumed give the same bytes")
  func determinism() async throws {
    let web = try SharedWeb()
    let (list, _) = try web.makeList(rows: 300, preset: "realistic")
    let options = [
      "key_scheme=img2dataset", "shard_pairs=45", "shard_bytes=150000", "encode_format=webp",
      "resize_mode=keep_ratio", "extract_exif=true",
    ]
    _ = try await web.run(list, into: "one", workers: 1, options).run()
    let one = try web.outputs("one")
    for name in ["shards/00004.tar.lz4", "filtered/00004.tar.lz4", "filtered/00004.parquet"] {
      #expect(one.keys.contains(name))
    }

    try web.reset()
    _ = try await web.run(list, into: "four", workers: 4, options).run()
    let four = try web.outputs("four")
    #expect(four.keys.sorted() == one.keys.sorted())
    for (name, bytes) in one { #expect(four[name] == bytes, "\(name)") }

    try web.reset()
    let again = try web.run(list, into: "stopped", workers: 2, options)
    for step in ["fetched", "decoded", "sharded"] {
      let (stops, stop) = AsyncStream.makeStream(of: Void.self)
      let task = Task {
        try await again.run(reportingEvery: .milliseconds(5)) {
          if $0.pairs(step) > 0 { stop.yield() }
        }
      }
      for await _ in stops { break }
      task.cancel()
      _ = await task.result
    }
    let outcome = try await again.run()
    #expect(outcome.isComplete)
    let stopped = try web.outputs("stopped")
    #expect(stopped.keys.sorted() == one.keys.sorted())
    for (name, bytes) in one { #expect(stopped[name] == bytes, "\(name)") }
  }

  @Test("other options on a folder are refused by key; another pace is not")
  func changedOptions() async throws {
    let web = try SharedWeb()
    let (list, _) = try web.makeList(rows: 20, preset: "clean")
    _ = try await web.run(list, into: "run", workers: 1).run()
    let refused = try web.run(list, into: "run", workers: 1, ["image_size=65"])
    do {
      _ = try await refused.run()
      Issue.record("a changed image_size was accepted")
    } catch {
      #expect("\(error)".contains("image_size: was 64, now 65"))
    }
    let paced = try web.run(list, into: "run", workers: 4, ["download.concurrency=3"])
    #expect(try await paced.run().status.pairs("kept") == 20)
    #expect(try await PipelineRun.status(folder: web.folder + "/run").isFinished)
    await #expect(throws: NoRunError.self) { try await PipelineRun.status(folder: web.folder) }
  }
}
