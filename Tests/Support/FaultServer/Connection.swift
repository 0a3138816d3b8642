import Foundation

/// A blocking socket, used by one thread.
final class Connection {
  let descriptor: Int32
  private var buffer: [UInt8] = []
  private var sentCount = 0

  init(descriptor: Int32) { self.descriptor = descriptor }

  /// The IPv4 address at the other end.
  static func peer(of descriptor: Int32) -> String {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = getpeername(descriptor, $0, &length)
      }
    }
    return inet_ntoa(address.sin_addr).map { String(cString: $0) } ?? ""
  }

  /// The next request's line and headers, or nil at the end of the stream.
  func readHead() -> String? {
    let end = Array("\r\n\r\n".utf8)
    while true {
      if let index = buffer.indices.first(where: { buffer[$0...].starts(with: end) }) {
        defer { buffer.removeFirst(index + 4) }
        return String(decoding: buffer[..<index], as: UTF8.self)
      }
      var chunk = [UInt8](repeating: 0, count: 4096)
      let count = recv(descriptor, &chunk, chunk.count, 0)
      guard count > 0 else { return nil }
      buffer += chunk[..<count]
      // The first byte of a TLS handshake, which a server without TLS answers in its own words.
      guard buffer.first != 0x16 else {
        send("HTTP/1.1 400 Bad Request\r\n\r\n")
        return nil
      }
    }
  }

  /// False when the peer is gone.
  @discardableResult func send(_ bytes: [UInt8]) -> Bool {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(
          descriptor, $0.baseAddress.map { $0 + offset }, bytes.count - offset,
          Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      offset += count
      sentCount += count
    }
    return true
  }

  /// What has arrived, after waiting for it; empty at the end of the stream.
  func receive() -> [UInt8] {
    if !buffer.isEmpty {
      defer { buffer = [] }
      return buffer
    }
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(descriptor, &chunk, chunk.count, 0)
    return Array(chunk.prefix(max(0, count)))
  }

  @discardableResult func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  /// Waits for the time, or for the peer to go away; nil waits for that alone.
  ///
  /// False when the peer went.
  @discardableResult func pause(milliseconds: Int32?) -> Bool {
    var entry = pollfd(descriptor: descriptor)
    return poll(&entry, 1, milliseconds ?? -1) == 0
  }

  /// Makes the coming close a TCP reset.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }

  func takeSentCount() -> Int {
    defer { sentCount = 0 }
    return sentCount
  }
}

extension pollfd {
  fileprivate init(descriptor: Int32) {
    self.init(fd: descriptor, events: Int16(POLLIN), revents: 0)
  }
}
