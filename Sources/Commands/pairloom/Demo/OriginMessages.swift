import SceneWorld

/// The part of a request that the demo's origin looks at.
package struct OriginRequest: Equatable {
  package var method: String
  package var path: String
  package var keepsAlive: Bool

  package init(method: String, path: String, keepsAlive: Bool) {
    self.method = method
    self.path = path
    self.keepsAlive = keepsAlive
  }
}

/// Takes requests without body out of a stream of bytes (RFC 9112).
package struct OriginRequestReader {
  package enum Outcome: Equatable {
    case request(OriginRequest)
    case needsMore
    case malformed
  }

  private static let limit = 16 << 10
  private var buffer: [UInt8] = []

  package init() {}

  package mutating func append(_ bytes: [UInt8]) { buffer += bytes }

  package mutating func next() -> Outcome {
    guard let end = headEnd() else { return buffer.count > Self.limit ? .malformed : .needsMore }
    let head = String(decoding: buffer[..<end], as: UTF8.self)
    buffer.removeSubrange(..<(end + 4))
    let lines = head.split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return .malformed }
    var keepsAlive = words[2] != "HTTP/1.0"
    for line in lines.dropFirst() {
      let field = line.lowercased().split(separator: ":", maxSplits: 1)
      if field.count == 2, field[0] == "connection", field[1].contains("close") {
        keepsAlive = false
      }
    }
    let path = words[1].prefix { $0 != "?" }
    return .request(
      OriginRequest(method: String(words[0]), path: String(path), keepsAlive: keepsAlive))
  }

  /// Where the empty line begins that ends the head.
  private func headEnd() -> Int? {
    guard buffer.count >= 4 else { return nil }
    return (0...buffer.count - 4).first {
      buffer[$0] == 13 && buffer[$0 + 1] == 10 && buffer[$0 + 2] == 13 && buffer[$0 + 3] == 10
    }
  }
}

/// Answers as bytes on the wire.
enum OriginResponse {
  /// Head and body in one piece, the body cut where the answer says so.
  static func bytes(_ answer: DemoAnswer, isHead: Bool, keepsAlive: Bool) -> [UInt8] {
    var head = "HTTP/1.1 \(answer.status) \(phrases[answer.status] ?? "Status")\r\n"
    head += "Content-Type: \(answer.mediaType)\r\nContent-Length: \(answer.body.count)\r\n"
    if let seconds = answer.retryAfter { head += "Retry-After: \(seconds)\r\n" }
    if !keepsAlive { head += "Connection: close\r\n" }
    let body = isHead ? [] : answer.body.prefix(answer.cutAfter ?? answer.body.count)
    return Array((head + "\r\n").utf8) + body
  }

  private static let phrases = [
    200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
    429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
  ]
}
