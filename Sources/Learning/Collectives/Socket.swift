import Glibc

/// A non-blocking TCP socket, closed when its owner goes.
///
/// All calls follow tcp(7) and poll(2): no signal is raised for a lost peer, small frames leave at
/// once, and a dead host is noticed by keep-alive.
final class Socket: Sendable {
  let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { Glibc.close(descriptor) }

  /// What became of one attempt to move bytes.
  enum Progress: Equatable { case moved(Int), wouldBlock, ended }

  /// Sends up to `count` bytes from `offset` of `buffer`.
  func send(_ buffer: UnsafeRawBufferPointer) -> Progress {
    while true {
      let sent = unsafe Glibc.send(
        descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
      if sent >= 0 { return .moved(sent) }
      if errno == EINTR { continue }
      return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .ended
    }
  }

  /// Receives up to `buffer.count` bytes; a peer's close is `.ended`.
  func receive(_ buffer: UnsafeMutableRawBufferPointer) -> Progress {
    while true {
      let got = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
      if got > 0 { return .moved(got) }
      if got == 0 { return .ended }
      if errno == EINTR { continue }
      return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .ended
    }
  }

  /// Sends all of `bytes` before `deadline`; false when the peer is gone or too slow.
  func sendAll(_ bytes: [UInt8], before deadline: Deadline) -> Bool {
    var done = 0
    while done < bytes.count {
      let progress = unsafe bytes.withUnsafeBytes {
        unsafe send(UnsafeRawBufferPointer(rebasing: $0[done...]))
      }
      switch progress {
      case .moved(let count): done += count
      case .ended: return false
      case .wouldBlock:
        if Poll.wait([(descriptor, Int16(POLLOUT))], deadline)[0] == 0 { return false }
      }
    }
    return true
  }

  /// Receives exactly `count` bytes before `deadline`; nil when the peer is gone or too slow.
  func receiveAll(_ count: Int, before deadline: Deadline) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let progress = unsafe bytes.withUnsafeMutableBytes {
        unsafe receive(UnsafeMutableRawBufferPointer(rebasing: $0[done...]))
      }
      switch progress {
      case .moved(let count): done += count
      case .ended: return nil
      case .wouldBlock:
        if Poll.wait([(descriptor, Int16(POLLIN))], deadline)[0] == 0 { return nil }
      }
    }
    return bytes
  }

  /// Ends both directions, which wakes whoever waits on this connection.
  func shutDown() { _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// Sets an integer option; one that this kernel lacks changes nothing that is relied upon.
  func set(_ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    _ = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Options of every data and control connection.
  func configure() {
    let flags = fcntl(descriptor, F_GETFL)
    _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
    set(Int32(IPPROTO_TCP), Int32(TCP_NODELAY), 1)
    set(SOL_SOCKET, SO_KEEPALIVE, 1)
    set(Int32(IPPROTO_TCP), Int32(TCP_KEEPIDLE), 5)
    set(Int32(IPPROTO_TCP), Int32(TCP_KEEPINTVL), 2)
    set(Int32(IPPROTO_TCP), Int32(TCP_KEEPCNT), 3)
  }
}

/// A moment on the monotonic clock by which something has to be done.
struct Deadline: Sendable {
  private let nanoseconds: UInt64
  /// The span it was made with, for messages.
  let seconds: Double

  init(seconds: Double) {
    self.seconds = seconds
    nanoseconds = Self.now() &+ UInt64(max(0, seconds) * 1e9)
  }

  var milliseconds: Int32 {
    let now = Self.now()
    return now >= nanoseconds ? 0 : Int32(min((nanoseconds - now) / 1_000_000 + 1, 1_000_000))
  }

  var isPast: Bool { Self.now() >= nanoseconds }

  static func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

enum Poll {
  /// Waits until one of the descriptors is ready and gives what each is ready for.
  ///
  /// All zero once the deadline has passed.
  static func wait(_ interests: [(descriptor: Int32, events: Int16)], _ deadline: Deadline)
    -> [Int16]
  {
    var polled = interests.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) }
    while true {
      let ready = unsafe poll(&polled, nfds_t(polled.count), deadline.milliseconds)
      if ready > 0 { return polled.map(\.revents) }
      if deadline.isPast { return polled.map { _ in 0 } }
    }
  }
}
