import Glibc

/// Why the demo's origin could not listen.
package struct LoopbackError: Error, CustomStringConvertible {
  package var call: String
  package var port: Int
  package var code: Int32

  package var description: String {
    let words = unsafe String(cString: strerror(code))
    return "127.0.0.1:\(port): \(call) failed (\(words)). Choose another port, or 0 for a free one."
  }
}

/// A TCP socket that closes with its last reference.
private final class SocketHandle: Sendable {
  let descriptor: Int32
  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { close(descriptor) }

  func allow(_ level: Int32, _ option: Int32) -> Int32 {
    var on: Int32 = 1
    return unsafe setsockopt(
      descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
  }
}

/// A listening TCP socket on 127.0.0.1.
final class LoopbackListener: Sendable {
  let port: Int
  private let handle: SocketHandle

  /// Listens on `port`; 0 takes a free one.
  init(port: Int) throws(LoopbackError) {
    func check(_ result: Int32, _ call: String) throws(LoopbackError) {
      if result < 0 { throw LoopbackError(call: call, port: port, code: errno) }
    }
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, kind, 0)
    try check(descriptor, "socket")
    handle = SocketHandle(descriptor)
    try check(handle.allow(SOL_SOCKET, SO_REUSEADDR), "setsockopt")

    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // Safe: the address outlives the calls, and the length is its own.
    let bound = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, length)
      }
    }
    try check(bound, "bind")
    try check(listen(descriptor, 512), "listen")
    let named = unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getsockname(descriptor, $0, &length)
      }
    }
    try check(named, "getsockname")
    self.port = Int(in_port_t(bigEndian: address.sin_port))
  }

  /// Waits for the next connection; nil after ``shutDown()``.
  func nextConnection() -> LoopbackConnection? {
    while true {
      let descriptor = accept(handle.descriptor, nil, nil)
      if descriptor >= 0 {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return LoopbackConnection(descriptor)
      }
      // A client that went before it was accepted is no reason to stop (accept(2)).
      if errno == EINTR || errno == ECONNABORTED { continue }
      // Out of descriptors: connections that end give some back.
      guard errno == EMFILE || errno == ENFILE else { return nil }
      usleep(10_000)
    }
  }

  /// Ends the wait for connections, from any thread.
  func shutDown() { shutdown(handle.descriptor, Int32(SHUT_RDWR)) }
}

/// One accepted connection, read and written by one thread.
final class LoopbackConnection: Sendable {
  private let handle: SocketHandle

  init(_ descriptor: Int32) {
    handle = SocketHandle(descriptor)
    // Small answers must not wait for the client's delayed acknowledgement.
    _ = handle.allow(Int32(IPPROTO_TCP), TCP_NODELAY)
  }

  /// The next bytes, at most 16 KiB; empty when the client has finished or is gone.
  func receive() -> [UInt8] {
    let limit = 16 << 10
    return unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      var result = 0
      repeat {
        result = unsafe recv(handle.descriptor, buffer.baseAddress, limit, 0)
      } while result < 0 && errno == EINTR
      count = max(0, result)
    }
  }

  /// Sends all bytes; false when the client is gone.
  func send(_ bytes: [UInt8]) -> Bool {
    unsafe bytes.withUnsafeBytes { buffer in
      var sent = 0
      while sent < buffer.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
        let result = unsafe Glibc.send(
          handle.descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
        if result < 0 && errno == EINTR { continue }
        guard result > 0 else { return false }
        sent += result
      }
      return true
    }
  }

  /// Ends the connection, from any thread.
  func shutDown() { shutdown(handle.descriptor, Int32(SHUT_RDWR)) }
}
