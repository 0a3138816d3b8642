import Glibc
import Synchronization

/// A web server on a loopback port for benchmarks: one thread, until the process ends.
///
/// Every request gets 200 and 20,000 bytes: at once, or nobody before a given number has asked, which
/// proves that so many transfers were open at once.
final class BenchServer: Sendable {
  struct Failure: Error, CustomStringConvertible {
    var description: String

    /// - Parameter call: The system call that has just failed.
    init(_ call: String) { description = "\(call): \(unsafe String(cString: strerror(errno)))" }
  }

  let port: Int
  private let times = Mutex<[Double]>([])

  /// When requests arrived, in order; monotonic seconds.
  var arrivals: [Double] { times.withLock { $0 } }

  private static let answer: [UInt8] =
    Array("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 20000\r\n\r\n".utf8)
    + [UInt8](repeating: 1, count: 20_000)

  /// - Parameter count: Requests that must have come before any is answered.
  /// - Throws: `Failure` where the system has no port, or not so many descriptors.
  init(holding count: Int = 1) throws(Failure) {
    var limit = rlimit()
    _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, rlim_t(count + 100)))
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw Failure("setrlimit")
    }
    let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue
    let listener = socket(AF_INET, Int32(kind), 0)
    guard listener >= 0 else { throw Failure("socket") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // Safe: the structure is a socket address of that length.
    let isOpen = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(listener, $0, length) == 0 && listen(listener, 4096) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    guard isOpen else { throw Failure("listen") }
    port = Int(UInt16(bigEndian: address.sin_port))
    var thread = pthread_t()
    let loop = unsafe Unmanaged.passRetained(
      Loop(server: self, listener: listener, holding: count))
    // Safe: the thread takes over the one reference that `passRetained` made.
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Loop>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, loop.toOpaque())
    precondition(code == 0, "pthread_create: \(code)")
  }

  /// What the thread works on.
  private final class Loop {
    let server: BenchServer
    let holding: Int
    /// The listener and, behind it, the connections.
    var entries: [pollfd]
    var held: [Int32] = []
    var asked = 0

    init(server: BenchServer, listener: Int32, holding: Int) {
      self.server = server
      self.holding = holding
      entries = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
    }

    func run() {
      while true {
        // Not epoll, which Glibc's module lacks: a look at all costs little beside what they ask.
        guard unsafe poll(&entries, nfds_t(entries.count), -1) > 0 else { continue }
        for index in entries.indices.dropFirst() where entries[index].revents != 0 {
          if !receive(entries[index].fd) {
            close(entries[index].fd)
            entries[index].fd = -1  // passed over from now on
          }
        }
        if entries[0].revents != 0 { accept() }
      }
    }

    private func accept() {
      let descriptor = Glibc.accept(entries[0].fd, nil, nil)
      guard descriptor >= 0 else { return }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      entries.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
    }

    /// Requests have no bodies and come one at a time: each fits into one read.
    ///
    /// False when the client is gone.
    private func receive(_ descriptor: Int32) -> Bool {
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
      guard count > 0 else { return false }
      guard bytes[..<count].suffix(4) == Array("\r\n\r\n".utf8)[...] else { return true }
      server.times.withLock { $0.append(Rounds.Clock.wall.now) }
      asked += 1
      held.append(descriptor)
      guard asked >= holding else { return true }
      for descriptor in held { send(BenchServer.answer, to: descriptor) }
      held = []
      return true
    }

    private func send(_ bytes: [UInt8], to descriptor: Int32) {
      var done = 0
      while done < bytes.count {
        // Safe: from `done` on to the array's end.
        let count = unsafe bytes.withUnsafeBytes { buffer in
          unsafe Glibc.send(
            descriptor, buffer.baseAddress.map { unsafe $0 + done }, bytes.count - done,
            Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return }  // the client is gone
        done += count
      }
    }
  }
}
