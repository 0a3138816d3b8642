import Foundation

/// The paths of a `FaultServer` and what each does.
///
/// `ID` is any text that makes a URL its own.
enum Fault {
  /// The body of `/ok/N`: N bytes.
  static func body(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
  }

  /// Answers one request.
  ///
  /// False ends the connection. `attempt` counts the requests of this path from 1 on.
  static func answer(
    _ path: String, attempt: Int, server: FaultServer, on connection: Connection
  ) -> Bool {
    let parts = path.split(separator: "?")[0].split(separator: "/").map(String.init)
    let numbers = parts.dropFirst().compactMap { Int($0) }
    let first = numbers.first
    let argument = parts.dropFirst().first?.removingPercentEncoding ?? ""
    switch parts.first {
    // /ok/[N]: 200 with N bytes (1000).
    case "ok": return ok(connection, count: first ?? 1000)
    // /validators: 200 with ETag and Last-Modified.
    case "validators":
      let lines = ["eTag:W/\"a:1\"", "Last-Modified:  Tue, 15 Nov 1994 12:45:26 GMT "]
      return connection.send(head(200, lines, length: 0))
    // /bytes/TEXT: 200 with the percent-decoded text as text/html. /endless-page: for ever.
    case "bytes":
      let bytes = Array(argument.utf8)
      let type = "Content-Type: text/html"
      return connection.send(Array(head(200, [type], length: bytes.count).utf8) + bytes)
    case "endless-page":
      connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>")
      return endless(connection)
    // /stream/N/[ID]: as /ok/N, made as it is sent.
    case "stream":
      let block = body(64 << 10)
      connection.send(head(200, length: first ?? 0))
      for start in stride(from: 0, to: first ?? 0, by: block.count) {
        let piece = block.prefix((first ?? 0) - start)
        guard connection.send(Array(piece)) else { return false }
      }
      return true
    // /status/N
    case "status": return connection.send(head(first ?? 500, length: 5) + "error")
    // /status-then-ok/N/K/ID: status N for the first K requests.
    case "status-then-ok":
      guard attempt <= numbers[1] else { return ok(connection) }
      return connection.send(head(numbers[0], length: 0))
    // /retry-after/SECONDS/K/ID: 429 for the first K requests. /retry-date/…: as an HTTP date.
    case "retry-after", "retry-date":
      guard attempt <= numbers[1] else { return ok(connection) }
      let value = parts[0] == "retry-after" ? "\(numbers[0])" : httpDate(after: numbers[0])
      return connection.send(head(429, ["Retry-After: \(value)"], length: 0))
    // /redirect/N/[ID]: N hops to /ok.
    case "redirect":
      let count = first ?? 1
      let target = count <= 1 ? "/ok/10" : "/redirect/\(count - 1)"
      return connection.send(head(302, ["Location: \(target)"], length: 0))
    // /redirect-to/URL: to the percent-decoded URL. /redirect-none: without Location.
    case "redirect-to": return connection.send(head(301, ["Location: \(argument)"], length: 0))
    case "redirect-none": return connection.send(head(302, length: 0))
    // /robots/LINES: 200 with the percent-decoded X-Robots-Tag lines, joined by "|"; then endless.
    case "robots":
      let lines = argument.split(separator: "|").map { "X-Robots-Tag: \($0)" }
      connection.send(head(200, lines, length: 1 << 40))
      return endless(connection)
    // /drip/PIECES/MILLISECONDS/[ID]
    case "drip":
      connection.send(head(200, length: numbers[0]))
      for _ in 0..<numbers[0] {
        guard connection.pause(milliseconds: Int32(numbers[1])), connection.send([0]) else {
          return false
        }
      }
      return true
    // /late/MILLISECONDS: nothing for that long, then 200.
    case "late":
      return server.whileWaiting { connection.pause(milliseconds: Int32(first ?? 0)) }
        && ok(connection)
    case "hang":
      connection.pause(milliseconds: nil)
      return false
    case "hang-mid":
      connection.send(head(200, length: 100))
      connection.send([1, 2, 3])
      connection.pause(milliseconds: nil)
      return false
    case "truncated", "reset":
      connection.send(head(200, length: 1000))
      connection.send(body(500))
      if parts[0] == "reset" {
        // The reset must not overtake the bytes: the peer has to see half an answer.
        connection.pause(milliseconds: 30)
        connection.reset()
      }
      return false
    case "reset-early":
      connection.reset()
      return false
    case "drop": return false
    case "drop-then-ok": return attempt > 1 && ok(connection)
    case "endless-length":
      connection.send(head(200, length: 50_000_000_000))
      return endless(connection)
    case "endless":
      connection.send("HTTP/1.1 200 OK\r\n\r\n")
      return endless(connection)
    case "endless-error":
      connection.send("HTTP/1.1 404 Not Found\r\n\r\n")
      return endless(connection)
    case "endless-headers":
      connection.send("HTTP/1.1 200 OK\r\n")
      while connection.send("X-Pad: " + String(repeating: "y", count: 1000) + "\r\n") {}
      return false
    // Header bombs: a line that never ends, interim answers or trailers without end.
    case "endless-line":
      connection.send("HTTP/1.1 200 OK\r\nX-Pad: ")
      return endless(connection, Array(repeating: UInt8(ascii: "y"), count: 64 << 10))
    case "endless-status":
      connection.send("HTTP/1.1 200 ")
      return endless(connection, Array(repeating: UInt8(ascii: "y"), count: 64 << 10))
    case "endless-hints":
      return endless(
        connection, Array(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 1000))
    case "endless-trailers":
      connection.send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n")
      return endless(connection, Array(repeating: "X-Trailer: yyyyyyyyyy\r\n", count: 1000))
    // A chunk's extension that never ends: bytes without a byte of body.
    case "endless-extension":
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;")
      return endless(connection, Array(repeating: UInt8(ascii: "y"), count: 64 << 10))
    // /slowloris/MILLISECONDS: the headers, a byte at a time.
    case "slowloris":
      for byte in "HTTP/1.1 200 OK\r\nX-Pad: \(String(repeating: "y", count: 10_000))".utf8 {
        guard connection.send([byte]), connection.pause(milliseconds: Int32(first ?? 10)) else {
          return false
        }
      }
      return false
    case "chunked-bad":
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n")
      return false
    case "gzip-bad":
      return connection.send(head(200, ["Content-Encoding: gzip"], length: 9) + "not gzip!")
    case "gzip-bomb":
      connection.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
      return gzipBomb(connection)
    case "bad-status":
      connection.send("nonsense instead of HTTP\r\n\r\n")
      return false
    case "early-hints":
      connection.send("HTTP/1.1 103 Early Hints\r\nX-Robots-Tag: noai\r\n\r\n")
      return ok(connection)
    default: return connection.send(head(404, length: 0))
    }
  }

  /// 200 with a text and header lines.
  static func text(_ body: String, _ headers: [String], on connection: Connection) -> Bool {
    connection.send(head(200, headers, length: body.utf8.count) + body)
  }

  private static func ok(_ connection: Connection, count: Int = 1000) -> Bool {
    connection.send(
      Array(head(200, ["Content-Type: image/jpeg"], length: count).utf8) + body(count))
  }

  private static func head(_ status: Int, _ lines: [String] = [], length: Int) -> String {
    (["HTTP/1.1 \(status) Status", "Content-Length: \(length)"] + lines + ["", ""])
      .joined(separator: "\r\n")
  }

  private static func endless(_ connection: Connection) -> Bool {
    endless(connection, body(64 << 10))
  }

  private static func endless(_ connection: Connection, _ texts: [String]) -> Bool {
    endless(connection, Array(texts.joined().utf8))
  }

  private static func endless(_ connection: Connection, _ block: [UInt8]) -> Bool {
    while connection.send(block) {}
    return false
  }

  /// 1 GiB of zeros in 6.8 MB, written by hand.
  ///
  /// One block of fixed Huffman codes (RFC 1951 §3.2.6): a literal 0, then matches of length 258 and
  /// distance 1. Eight matches, 8 · 13 bits, fill 13 bytes and repeat from there on.
  private static func gzipBomb(_ connection: Connection) -> Bool {
    var bits: [UInt8] = [1, 1, 0] + [0, 0, 1, 1, 0, 0, 0, 0]  // last block, fixed; literal 0
    let match: [UInt8] = [1, 1, 0, 0, 0, 1, 0, 1] + [0, 0, 0, 0, 0]  // length 258; distance 1
    for _ in 0..<9 { bits += match }
    let bytes = stride(from: 0, to: 15 * 8, by: 8).map { start in
      (0..<8).reduce(UInt8(0)) { $0 | bits[start + $1] << UInt8($1) }
    }
    connection.send([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + bytes[..<2])
    let period = Array(repeatElement(bytes[2..<15], count: 1000).joined())
    for _ in 0..<(1 << 30) / (8 * 258 * 1000) {
      guard connection.send(period) else { return false }
    }
    return false
  }

  private static func httpDate(after seconds: Int) -> String {
    var time = time(nil) + seconds
    var parts = tm()
    gmtime_r(&time, &parts)
    var text = [CChar](repeating: 0, count: 64)
    strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
