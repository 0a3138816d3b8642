package import CrawlPolicy

/// What one exchange has received so far, and whether it may go on.
///
/// Fed by libcurl's callbacks on the loop thread. It stops an exchange as soon as its outcome is
/// known: a refusal by X-Robots-Tag or by Content-Length before any byte of the body is kept, a body
/// at its cap whatever its length was said to be (libcurl 7.88 enforces no CURLOPT_MAXFILESIZE once
/// the transfer runs, nor after decompression).
package final class ResponseSink {
  package struct Refusal: Equatable {
    package var failure: FetchFailure
    package var detail: String
  }

  private let maxBytes: Int
  private let robots: RobotsHeaderPolicy
  private var headerBytes = 0
  private var drainedBytes = 0
  private var robotsTags: [String] = []
  private var contentLength: Int?

  /// The status of the newest header block; 0 before the first.
  package private(set) var status = 0
  /// Whether the final header block (not one of a 1xx) has ended.
  package private(set) var headersEnded = false
  package private(set) var retryAfter: String?
  package private(set) var location: String?
  package private(set) var contentType: String?
  package private(set) var refusal: Refusal?
  package private(set) var body: [UInt8] = []

  /// Bodies of error pages and redirects are read up to here, to keep the connection; none is kept.
  private static let drainLimit = 64 << 10
  private static let headerLimit = 256 << 10
  /// What a Content-Length alone may make us allocate: a list full of liars must not fill memory.
  private static let reserveLimit = 1 << 20

  package init(maxBytes: Int, robots: RobotsHeaderPolicy) {
    self.maxBytes = maxBytes
    self.robots = robots
  }

  package var isSuccess: Bool { (200..<300).contains(status) }

  /// Takes one header line with its line end; false stops the exchange.
  package func header(_ line: Span<UInt8>) -> Bool {
    headerBytes += line.count
    guard headerBytes <= Self.headerLimit else {
      return refuse(.protocolError, "more than \(Self.headerLimit) bytes of headers")
    }
    guard !headersEnded else { return true }  // a trailer
    let text = String(trimming: line)
    if text.isEmpty { return endHeaders() }
    if text.hasPrefix("HTTP/") {
      startBlock(statusLine: text)
      return true
    }
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return true }
    let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
    switch text[..<colon].lowercased() {
    case "x-robots-tag": robotsTags.append(String(value))
    case "retry-after": retryAfter = String(value)
    case "location": location = value.isEmpty ? nil : String(value)
    case "content-type": contentType = value.isEmpty ? nil : String(value)
    case "content-length": contentLength = Int(value)
    default: break
    }
    return true
  }

  /// Takes bytes of the decoded body; false stops the exchange.
  package func bytes(_ bytes: Span<UInt8>) -> Bool {
    guard isSuccess else {
      drainedBytes += bytes.count
      return drainedBytes <= Self.drainLimit
    }
    guard body.count + bytes.count <= maxBytes else {
      return refuse(.tooLarge, "more than \(maxBytes) bytes")
    }
    // Safe: the buffer is read inside the closure only.
    unsafe bytes.withUnsafeBufferPointer { unsafe body.append(contentsOf: $0) }
    return true
  }

  /// Hands the body over; the sink keeps none.
  package func takeBody() -> [UInt8] {
    defer { body = [] }
    return body
  }

  private func startBlock(statusLine: String) {
    let code = statusLine.split(separator: " ", maxSplits: 2).dropFirst().first
    status = code.flatMap { Int($0) } ?? 0
    robotsTags = []
    retryAfter = nil
    location = nil
    contentType = nil
    contentLength = nil
  }

  private func endHeaders() -> Bool {
    guard !(100..<200).contains(status) else { return true }
    headersEnded = true
    guard isSuccess else { return true }
    if let directive = robots.refusal(robotsTags) { return refuse(.robots, directive) }
    if let contentLength {
      guard contentLength <= maxBytes else {
        return refuse(.tooLarge, "Content-Length \(contentLength), cap \(maxBytes)")
      }
      body.reserveCapacity(min(max(0, contentLength), Self.reserveLimit))
    }
    return true
  }

  private func refuse(_ failure: FetchFailure, _ detail: String) -> Bool {
    refusal = Refusal(failure: failure, detail: detail)
    body = []
    return false
  }
}

extension String {
  /// The bytes as UTF-8 without the blanks and line ends behind them.
  fileprivate init(trimming line: Span<UInt8>) {
    var end = line.count
    while end > 0, line[end - 1] <= 0x20 { end -= 1 }
    self = unsafe line.withUnsafeBufferPointer {
      unsafe String(decoding: $0[..<end], as: UTF8.self)
    }
  }
}
