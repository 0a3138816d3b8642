import Foundation
import HTTPFetch
import Testing

/// The shared fault web, `../shared/data/serve.py`, where there is one.
enum LocalWeb {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../../shared/data").standardizedFileURL

  static let isThere =
    FileManager.default.fileExists(atPath: folder.appending(path: "serve.py").path)
    && FileManager.default.fileExists(atPath: "/usr/bin/env")
    && (try? run(["-c", "0"])) != nil

  struct Expectations: Decodable {
    var expect: [String: [String]]
    var bad: [String]
    var path: String
  }

  /// What make_lists.py promises, by fault, and a picture's path below the corpus.
  static func expectations() throws -> Expectations {
    let script = """
      import json, make_lists as m
      row = next(r for r in map(json.loads, open('corpus/captions.jsonl'))
                 if r['path'].endswith('.jpg') and r['path'].isascii() and ' ' not in r['path'])
      print(json.dumps(dict(expect=m.EXPECT, bad=m.BADURLS, path=row['path'])))
      """
    return try JSONDecoder().decode(Expectations.self, from: run(["-c", script]))
  }

  static func process(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-B"] + arguments
    process.currentDirectoryURL = folder
    return process
  }

  static func run(_ arguments: [String]) throws -> Data {
    let process = process(arguments)
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    return output
  }
}

@Suite(.enabled(if: LocalWeb.isThere)) struct LocalWebTests {
  @Test("every fault of the shared web gets the class that the list maker expects")
  func faults() async throws {
    let server = LocalWeb.process(["serve.py", "--port", "0", "-v"])
    let errors = Pipe()
    server.standardError = errors
    server.standardOutput = FileHandle.nullDevice
    try server.run()
    // SIGTERM would not do: a child of a Dispatch thread inherits its mask, which blocks it.
    defer { kill(server.processIdentifier, SIGKILL) }
    // "listening on http://127.0.0.1:PORT": the signal that the server answers.
    var line = ""
    for try await byte in errors.fileHandleForReading.bytes(until: UInt8(ascii: "\n")) {
      line.unicodeScalars.append(Unicode.Scalar(byte))
    }
    let base = try #require(line.split(separator: " ").last.map(String.init))

    let known = try LocalWeb.expectations()
    let picture = try [UInt8](
      Data(contentsOf: LocalWeb.folder.appending(path: "corpus/\(known.path)")))
    let slow: Set = ["slow", "slow-start", "slow-headers"]
    let faults = known.expect.keys.sorted().filter {
      !["malformed", "gzip-bomb", "bomb"].contains($0)
    }
    let urls = faults.map { fault in
      switch fault {
      case "dns": "http://no-such-host.invalid/x.jpg"
      case "refused": "http://127.0.0.1:1/x.jpg"
      case "empty-url": ""
      default: "\(base)/\(fault)/\(slow.contains(fault) ? "1/" : "")\(known.path)"
      }
    }
    // The server takes seconds to make its bombs, hence a deadline of their own.
    let patient = try Fetcher(
      options: testOptions {
        $0.totalDeadline = 60
        $0.lowSpeedSeconds = 60
        $0.maxBytes = 8 << 20
      })
    async let bombs = results(
      of: ["\(base)/gzip-bomb/x.jpg", "\(base)/bomb/x.jpg"], by: patient)
    let fetcher = try Fetcher(
      options: testOptions {
        $0.policy.profile = .strict
        $0.totalDeadline = 4
        $0.attempts = 3
        $0.maxBytes = 8 << 20
        $0.allowAddresses = ["127.0.0.0/8", "::1"]
      })
    let all = await results(of: urls + known.bad, by: fetcher)
    for (fault, result) in zip(faults, all) {
      let (outcome, failureClass) = (known.expect[fault]?[0], known.expect[fault]?[1] ?? "")
      let words = "\(fault): \(result.failure?.rawValue ?? "ok") \(result.detail)"
      switch outcome {
      case "success", "success_with_retry":
        #expect(result.failure == nil && result.body == picture, "\(words)")
      case "policy":
        #expect(result.failure == .robots, "\(words)")
      case "fail" where FetchFailure(rawValue: failureClass) != nil:
        // The list maker knows one class of names that do not resolve.
        let classes = fault == "dns" ? ["no_such_host"] : [failureClass]
        #expect(classes.contains(result.failure?.rawValue ?? ""), "\(words)")
      case "fail":  // for the decoder to find
        #expect(result.failure == nil, "\(words)")
      default: break  // "depends": any end will do, and there is one
      }
    }
    for (url, result) in zip(known.bad, all.dropFirst(faults.count)) {
      #expect(result.failure == .badURL, "\(url)")
    }
    // The other is a picture of 30,000 × 30,000 pixels in 110 KB: for the decoder to refuse.
    #expect(await bombs.map(\.failure) == [.tooLarge, nil])
  }
}

extension FileHandle {
  /// The bytes up to `end`, read as they come, off Swift's own threads.
  fileprivate func bytes(until end: UInt8) -> AsyncThrowingStream<UInt8, any Error> {
    AsyncThrowingStream { continuation in
      DispatchQueue.global().async { [self] in
        do {
          while let byte = try read(upToCount: 1)?.first, byte != end { continuation.yield(byte) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
    }
  }
}
