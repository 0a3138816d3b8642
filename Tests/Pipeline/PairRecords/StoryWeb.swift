import DurableFiles
import FaultServer
import Foundation
import ImageCodec
import PairDataset
import PairRecords
import PipelineCore
import Synchronization
import URLPipeline

/// A small web in which every fate is met, and a list of it.
///
/// `/ok/N` is picture N, `/same/N` picture 5, `/page/N` words, `/noai/N` a picture under
/// `X-Robots-Tag: noai`; `/late/N` answers 503 until ``heal()``, `/stuck/N` not at all until then;
/// `/moved/N` leads to `/ok/N`; all else is 404.
final class StoryWeb: Sendable {
  let folder = FileManager.default.temporaryDirectory.path + "/story-" + UUID().uuidString
  let server: AnswerServer
  private let isHealed: Gate

  /// A switch that threads may wait for.
  final class Gate: Sendable {
    private let isOpen = Mutex(false)
    private let semaphore = DispatchSemaphore(value: 0)
    var value: Bool { isOpen.withLock { $0 } }

    func open() {
      isOpen.withLock { $0 = true }
      semaphore.signal()
    }

    func wait() {
      semaphore.wait()
      semaphore.signal()
    }
  }

  init() throws {
    let gate = Gate()
    isHealed = gate
    server = try AnswerServer { path in
      let parts = path.split(separator: "/").map(String.init)
      let number = Int(parts.last ?? "") ?? 0
      func picture(_ number: Int, _ headers: [String] = []) -> AnswerServer.Answer {
        .init(200, headers: ["Content-Type: image/png"] + headers, body: Self.picture(number))
      }
      switch parts.first {
      case "ok": return picture(number)
      case "same": return picture(5)
      case "page": return .init(200, body: Array("words, and no picture".utf8))
      case "noai": return picture(number, ["X-Robots-Tag: noai"])
      case "moved": return .init(302, headers: ["Location: /ok/\(number)"])
      case "late": return gate.value ? picture(number) : .init(503)
      case "stuck":
        gate.wait()
        return picture(number)
      default: return .init(404)
      }
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit {
    isHealed.open()
    server.stop()
    try? FileManager.default.removeItem(atPath: folder)
  }

  func heal() { isHealed.open() }

  /// A picture of one colour; no two numbers have the same bytes.
  static func picture(_ number: Int) -> [UInt8] {
    let colour = [UInt8(truncatingIfNeeded: number &* 37), UInt8(number >> 8), 90]
    let image = RGBImage(
      width: 24, height: 24,
      pixels: (0..<576).flatMap { place in place == number % 576 ? [255, 255, 255] : colour })
    return (try? ImageEncoder.png(image)) ?? []  // a picture of 576 pixels can be encoded
  }

  /// Thirty rows in three chunks, one of them rejected; nil is a row that is no object.
  static let paths: [String?] =
    (0..<10).map { "/ok/\($0)" } + ["/gone/10", "/late/11"]
    + ["SAME-URL", "/same/13", "/noai/14", "/page/15", nil, "htp://x", "/ok/18", "/stuck/19"]
    + ["/moved/20"] + (21..<30).map { "/ok/\($0)" }

  func url(_ path: String) -> String {
    switch path {
    case "SAME-URL": "HTTP://127.0.0.1:\(server.port)/ok/5#again"
    case let path where path.hasPrefix("/"): server.url(path)
    default: path
    }
  }

  /// Writes the list: url, caption, and columns of four types, one of them named like one of ours.
  func list(_ paths: [String?], name: String) throws -> String {
    let lines = paths.enumerated().map { row, path in
      path.map {
        #"{"url":"\#(url($0))","caption":"caption \#(row)","number":\#(row),"share":\#(row).5,"#
          + #""is_odd":\#(row % 2 == 1),"chunk":"c\#(row)","tags":["a",\#(row)]}"#
      } ?? "[\(row)]"
    }
    let path = "\(folder)/\(name).jsonl"
    try DurableFile.write(lines.joined(separator: "\n") + "\n", to: path)
    return path
  }

  /// Runs the list into the folder `name`.
  @discardableResult
  func run(
    _ name: String, paths: [String?] = StoryWeb.paths, _ options: [String] = [],
    scorer: (any PairScorer)? = nil
  ) async throws -> RunOutcome {
    let recipe = try PipelineRecipe(
      yaml: "", path: "test",
      overrides: [
        "input=\(try list(paths, name: name))", "allow_addresses=127.0.0.0/8", "chunk_rows=10",
        "image_size=16", "download.attempts=1", "download.backoff_base=0.01",
        "download.timeout_attempts=1", "download.first_byte_deadline=0.5",
      ] + options)
    return try await PipelineRun(
      recipe: recipe, folder: path(name), workers: 1, scorer: scorer
    ).run()
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  func retry(_ name: String, scorer: (any PairScorer)? = nil) async throws -> RunOutcome {
    try await PipelineRun(
      recipe: try await PipelineRun.recipe(of: path(name)), folder: path(name), workers: 1,
      scorer: scorer
    ).retry(where: PipelineRun.usualRetry)
  }

  /// The stories that `text` asks for.
  func stories(_ name: String, _ text: String) async throws -> [PairStory] {
    let run = try await RunRecords(path(name))
    let search = PairSearch(run, threads: 2)
    let teller = try StoryTeller(run)
    switch try await search.rows(search.question(text)) {
    case .nothing: return []
    case .rejected(let row, let file, let line, let reason):
      return [await teller.story(ofRejected: row, file: file, line: line, reason: reason)]
    case .rows(let rows):
      var stories: [PairStory] = []
      for row in rows { stories.append(try await teller.story(ofRow: row)) }
      return stories
    }
  }

  func story(_ name: String, row: Int) async throws -> PairStory {
    try await stories(name, "\(row)")[0]
  }

  /// What is said where nothing is found.
  func help(_ name: String, _ text: String) async throws -> String? {
    let search = PairSearch(try await RunRecords(path(name)))
    guard case .nothing(let help) = try await search.rows(search.question(text)) else {
      return nil
    }
    return help
  }
}

/// Scores a pair by its caption's number: 0.00 to 0.99.
struct ToyScorer: PairScorer {
  let name = "toy-1"
  let provenance = ["weights": "none"]

  func scores(of pairs: [Pair]) async throws -> [Float] {
    pairs.map { pair in Float(Int(pair.caption.split(separator: " ")[1]) ?? 0) / 100 }
  }
}

extension PairStory {
  /// A value of a chapter, in the newest part that has it.
  func value(_ chapter: String, _ name: String) -> JSONValue? {
    for part in parts.reversed() {
      if let value = part.chapters.first(where: { $0.title == chapter })?.facts
        .first(where: { $0.name == name && $0.value != .null })?.value
      {
        return value
      }
    }
    return nil
  }
}
