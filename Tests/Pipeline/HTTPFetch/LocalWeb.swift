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

  /// URLs that make_lists.py makes wrong, and a picture's path below the corpus.
  struct Lists: Decodable {
    var bad: [String]
    var path: String
    /// JPEG and PNG files of all sizes below the corpus.
    var paths: [String]
  }

  static func lists() throws -> Lists {
    let script = """
      import json, make_lists as m
      rows = [r for r in map(json.loads, open('corpus/captions.jsonl'))
              if r['path'].isascii() and ' ' not in r['path'] and r['encoding']['format'] in ('jpeg', 'png')]
      row = next(r for r in rows if r['path'].endswith('.jpg'))
      rows.sort(key=lambda r: r['bytes'])
      print(json.dumps(dict(bad=m.BADURLS, path=row['path'],
                            paths=[r['path'] for r in rows[::len(rows) // 30]])))
      """
    return try JSONDecoder().decode(Lists.self, from: run(["-c", script]))
  }

  /// Whether the answers to these URLs, as they come over the wire, hold a chunk size that is none.
  ///
  /// The server's `chunked-bad` leaves it out where the picture's last chunk goes past its middle.
  static func haveBadChunk(_ urls: [String]) throws -> [Bool] {
    let script = """
      import json, socket, sys, urllib.parse
      found = []
      for url in sys.argv[1:]:
          parts = urllib.parse.urlsplit(url)
          with socket.create_connection((parts.hostname, parts.port)) as s:
              s.sendall(f'GET {parts.path} HTTP/1.1\\r\\nHost: {parts.netloc}\\r\\n\\r\\n'.encode())
              found.append(b''.join(iter(lambda: s.recv(65536), b'')).endswith(b'zz-not-hex\\r\\n'))
      print(json.dumps(found))
      """
    return try JSONDecoder().decode([Bool].self, from: run(["-c", script] + urls))
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

/// serve.py on a free port, until the last reference goes.
final class LocalWebServer {
  let base: String
  private let process: Process

  init() async throws {
    process = LocalWeb.process(["serve.py", "--port", "0", "-v"])
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    // "listening on http://127.0.0.1:PORT": the signal that the server answers.
    var line = ""
    for try await byte in errors.fileHandleForReading.bytes(until: UInt8(ascii: "\n")) {
      line.unicodeScalars.append(Unicode.Scalar(byte))
    }
    base = try #require(line.split(separator: " ").last.map(String.init))
  }

  // SIGTERM would not do: a child of a Dispatch thread inherits its mask, which blocks it.
  deinit { kill(process.processIdentifier, SIGKILL) }
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
