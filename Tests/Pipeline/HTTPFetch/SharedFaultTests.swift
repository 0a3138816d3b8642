import Foundation
import HTTPFetch
import Testing

/// How a fault of the shared web ends.
private enum Outcome: Equatable {
  /// The picture, byte for byte.
  case picture
  /// A body for the decoder to judge.
  case otherBody
  case failed(FetchFailure)
}

/// What first bytes count as a picture here; the pipeline's own table is the image codecs'.
private let sniff: BodySniff = { bytes in
  if bytes.isEmpty { return .undecided }
  let pictures: [[UInt8]] = [[0xFF, 0xD8, 0xFF], [0x89, 0x50, 0x4E, 0x47], Array("GIF8".utf8)]
  if pictures.contains(where: { bytes.starts(with: $0) }) { return .wanted }
  return bytes.starts(with: "<?xml".utf8) ? .unsupported("svg") : .notAnImage
}

@Suite(.enabled(if: LocalWeb.isThere, "needs ../shared/data and python3"))
struct SharedFaultTests {
  /// Each fault of `GET /_faults`, the number in its URL, and its one right end.
  private static let table: [(fault: String, number: Int?, outcome: Outcome)] = [
    ("ok", nil, .picture), ("mirror", nil, .picture), ("cdn", nil, .picture),
    ("404", nil, .failed(.httpStatus)), ("403", nil, .failed(.httpStatus)),
    ("410", nil, .failed(.httpStatus)), ("401", nil, .failed(.httpStatus)),
    ("500", nil, .failed(.httpStatus)), ("503", nil, .failed(.httpStatus)),
    ("451", nil, .failed(.httpStatus)), ("status", 418, .failed(.httpStatus)),
    ("500-then-ok", 2, .picture), ("503-then-ok", 2, .picture), ("drop-then-ok", 1, .picture),
    ("429-retry-after", 1, .picture), ("429-date", 1, .picture), ("flaky", 30, .picture),
    ("slow", 1, .picture), ("slow-start", 1, .picture), ("slow-headers", 1, .picture),
    ("hang", nil, .failed(.timeout)), ("hang-mid", nil, .failed(.timeout)),
    ("truncated", 50, .failed(.incomplete)), ("reset", 50, .failed(.incomplete)),
    ("reset-early", nil, .failed(.incomplete)), ("empty", nil, .otherBody),
    ("no-length", nil, .picture), ("short-length", nil, .otherBody), ("close", nil, .picture),
    ("close-silent", nil, .picture), ("chunked", nil, .picture),
    ("chunked-cut", nil, .failed(.incomplete)), ("chunked-bad", nil, .failed(.protocolError)),
    ("redirect", 4, .picture), ("redirect-loop", nil, .failed(.redirect)),
    ("redirect-host", nil, .picture), ("redirect-404", nil, .failed(.httpStatus)),
    ("redirect-file", nil, .failed(.redirect)), ("redirect-refused", nil, .failed(.connect)),
    ("redirect-none", nil, .failed(.redirect)), ("wrong-type", nil, .failed(.notAnImage)),
    ("html-as-jpeg", nil, .failed(.notAnImage)), ("octet", nil, .picture),
    ("no-type", nil, .picture), ("text-type", nil, .picture),
    ("svg", nil, .failed(.unsupportedFormat)), ("json-error", nil, .failed(.notAnImage)),
    ("placeholder", nil, .otherBody), ("same-image", nil, .otherBody),
    ("noai", nil, .failed(.robots)), ("noimageai", nil, .failed(.robots)),
    ("noindex", nil, .failed(.robots)), ("noimageindex", nil, .failed(.robots)),
    ("noai-ua", nil, .failed(.robots)), ("noai-multi", nil, .failed(.robots)),
    ("robots-other", nil, .picture), ("gzip", nil, .picture),
    ("gzip-bad", nil, .failed(.protocolError)),
    // A gibibyte of zeros: its first bytes are no picture. Without `sniff` it ends at the cap.
    ("gzip-bomb", nil, .failed(.notAnImage)), ("deflate", nil, .picture),
    ("big", nil, .failed(.tooLarge)), ("big-length", nil, .failed(.tooLarge)),
    // Small files that claim to be large pictures: for the decoder to refuse.
    ("bomb", nil, .otherBody), ("bomb-gif", nil, .otherBody), ("bomb-jpeg", nil, .otherBody),
    ("corrupt", 12, .otherBody), ("corrupt-head", nil, .failed(.notAnImage)),
    ("corrupt-cut", nil, .otherBody), ("etag", nil, .picture), ("cookies", nil, .picture),
    ("big-headers", nil, .picture), ("bad-status", nil, .failed(.protocolError)),
    ("http10", nil, .picture), ("early-hints", nil, .picture), ("lf-only", nil, .picture),
  ]

  @Test("each fault of the shared web ends in its one right class")
  func faults() async throws {
    let server = try await LocalWebServer()
    let lists = try LocalWeb.lists()
    let picture = try [UInt8](
      Data(contentsOf: LocalWeb.folder.appending(path: "corpus/\(lists.path)")))
    let urls = Self.table.map { row in
      "\(server.base)/\(row.fault)/\(row.number.map { "\($0)/" } ?? "")\(lists.path)"
    }
    let fetcher = try Fetcher(
      options: testOptions {
        $0.policy.profile = .strict
        // The server takes seconds to make its bombs.
        $0.totalDeadline = 20
        $0.firstByteDeadline = 20
        $0.attempts = 5
        $0.timeoutAttempts = 1
        $0.breakerFailures = 1000
        $0.maxBytes = 8 << 20
        $0.allowAddresses = ["127.0.0.0/8", "::1"]
      }, sniff: sniff)
    let all = await results(of: urls + lists.bad, by: fetcher)
    for (row, result) in zip(Self.table, all) {
      let outcome: Outcome =
        if let failure = result.failure { .failed(failure) } else if result.body == picture {
          .picture
        } else { .otherBody }
      #expect(outcome == row.outcome, "\(row.fault): \(result.detail)")
    }
    for result in all.dropFirst(urls.count) {
      #expect(result.failure == .badURL, "\(result.finalURL)")
    }
  }

  /// Faults whose answers take long by intent, make the host rest, or whose bombs take the server
  /// long to make.
  private static let slowFaults: Set = [
    "429-retry-after", "429-date", "503", "503-then-ok", "flaky", "slow", "slow-start",
    "slow-headers", "hang", "hang-mid", "big",
    "big-length", "bomb", "bomb-gif", "bomb-jpeg", "gzip-bomb",
  ]

  @Test("a fault ends in its class whatever the picture, however often")
  func everyPicture() async throws {
    let server = try await LocalWebServer()
    let paths = try LocalWeb.lists().paths
    let fetcher = try Fetcher(
      options: testOptions {
        $0.policy.profile = .strict
        $0.totalDeadline = 100
        $0.firstByteDeadline = 100
        $0.attempts = 3
        $0.backoffCap = 0.05
        $0.breakerFailures = 1000
        $0.maxBytes = 8 << 20
        $0.allowAddresses = ["127.0.0.0/8", "::1"]
      }, sniff: sniff)
    for path in paths {
      let picture = try [UInt8](Data(contentsOf: LocalWeb.folder.appending(path: "corpus/\(path)")))
      let rows = Self.table.filter { !Self.slowFaults.contains($0.fault) }
      let urls = rows.map { row in
        "\(server.base)/\(row.fault)/\(row.number.map { "\($0)/" } ?? "")\(path)"
      }
      let hasBadChunk = try LocalWeb.haveBadChunk(["\(server.base)/chunked-bad/\(path)"])[0]
      for (row, result) in zip(rows, await results(of: urls, by: fetcher)) {
        let outcome: Outcome =
          if let failure = result.failure { .failed(failure) } else if result.body == picture {
            .picture
          } else { .otherBody }
        // Without its bad chunk that fault is a body without its end.
        let isCut = row.fault == "chunked-bad" && !hasBadChunk
        let expected = isCut ? .failed(.incomplete) : row.outcome
        #expect(outcome == expected, "\(row.fault) \(path): \(result.detail)")
      }
    }
  }

  @Test("the table names every fault that the shared web can do")
  func complete() async throws {
    let server = try await LocalWebServer()
    let answer = try await fetch("\(server.base)/_faults")
    let faults = try JSONDecoder().decode(
      [String: String].self, from: Data(try #require(answer.body)))
    #expect(Set(Self.table.map(\.fault)) == Set(faults.keys))
    #expect(Self.table.count == faults.count)
  }
}
