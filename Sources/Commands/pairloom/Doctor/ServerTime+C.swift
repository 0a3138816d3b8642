import Glibc

/// What a server's Date header says about this machine's clock.
package struct ServerTime: Sendable, Equatable {
  package var server: String
  /// Seconds that this clock is ahead; the header has whole seconds, so within one.
  package var offset: Double
  package var roundTrip: Double

  package init(server: String, offset: Double, roundTrip: Double) {
    self.server = server
    self.offset = offset
    self.roundTrip = roundTrip
  }

  /// Asks the http server at `host` for its time with a HEAD; nil when none comes.
  ///
  /// Blocks for some seconds at most, the name lookup aside.
  static func ask(host: String, port: Int) -> ServerTime? {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, String(port), &hints, &first) == 0 else { return nil }
    // Safe: freed once, after the last look.
    defer { unsafe freeaddrinfo(first) }
    guard let entry = unsafe first else { return nil }
    let descriptor = unsafe socket(
      entry.pointee.ai_family, entry.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    // SO_SNDTIMEO bounds connect(2) as well (socket(7)).
    var patience = timeval(tv_sec: 4, tv_usec: 0)
    for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
      unsafe setsockopt(
        descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
    guard unsafe connect(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) == 0
    else { return nil }
    let name = port == 80 ? host : "\(host):\(port)"
    let request = Array(
      "HEAD / HTTP/1.1\r\nHost: \(name)\r\nUser-Agent: Pairloom\r\nConnection: close\r\n\r\n".utf8)
    let before = now()
    guard unsafe send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) > 0
    else { return nil }
    var head: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    let end = Array("\r\n\r\n".utf8)
    while head.count < 64 << 10 {
      let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      head += buffer[..<count]
      guard head.indices.contains(where: { head[$0...].starts(with: end) }) else { continue }
      let after = now()
      // The header was written somewhere between; whole seconds are half a second early.
      return date(in: head).map {
        ServerTime(
          server: name, offset: (before + after) / 2 - ($0 + 0.5), roundTrip: after - before)
      }
    }
    return nil
  }

  /// Seconds since 1970 of the Date header among the lines of an answer; nil where there is none.
  package static func date(in head: [UInt8]) -> Double? {
    let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
    for line in lines.dropFirst() where line.lowercased().hasPrefix("date:") {
      // RFC 9110 §5.6.7, IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT".
      let words = line.dropFirst(5).split { " :".contains($0) }
      guard words.count == 8, words[7] == "GMT", let day = Int32(words[1]),
        let month = months.firstIndex(of: String(words[2])), let year = Int32(words[3]),
        let hour = Int32(words[4]), let minute = Int32(words[5]), let second = Int32(words[6]),
        (1970...9999).contains(year)
      else { continue }
      var parts = unsafe tm()
      unsafe parts.tm_year = year - 1900
      unsafe parts.tm_mon = Int32(month)
      unsafe parts.tm_mday = day
      unsafe parts.tm_hour = hour
      unsafe parts.tm_min = minute
      unsafe parts.tm_sec = second
      return Double(unsafe timegm(&parts))
    }
    return nil
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func now() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
