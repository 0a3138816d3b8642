import Foundation
import Synchronization

/// A web server on a loopback port that misbehaves on demand, and counts what it sees.
///
/// One thread accepts, one serves each connection. `Fault` lists the paths. Ends with `stop`, or
/// with the last reference.
public final class FaultServer: Sendable {
  /// What happened so far.
  public struct Counters: Sendable {
    public var connections = 0
    public var open = 0
    public var peakOpen = 0
    public var inFlight = 0
    public var peakInFlight = 0
    /// Requests that `/late` keeps waiting: the client cannot yet have taken one for answered.
    public var waiting = 0
    public var peakWaiting = 0
    /// By path, in order of arrival; monotonic seconds.
    public var arrivals: [String: [Double]] = [:]
    /// The paths in order of arrival.
    public var order: [String] = []
    public var userAgents: Set<String> = []
    /// The newest request's line and headers, by path.
    public var heads: [String: String] = [:]
    /// From where connections came.
    public var peers: Set<String> = []
    public var bodyBytes = 0

    public func requests(of path: String) -> Int { arrivals[path]?.count ?? 0 }
  }

  /// What a path of its own gives.
  public enum Page: Sendable {
    /// 200 with these header lines and this body.
    case text(String, headers: [String] = [])
    /// What another path gives, one of `Fault`.
    case fault(String)
  }

  private struct State {
    var counters = Counters()
    var descriptors: Set<Int32> = []
    var isStopped = false
  }

  public let port: Int
  private let pages: [String: Page]
  private let listener: Int32
  private let state = Mutex(State())

  private let host: String

  /// - Parameters:
  ///   - host: A loopback address.
  ///   - pages: Answers by path, before those of `Fault`.
  /// - Throws: `POSIXError` when it cannot be listened on.
  public init(address host: String = "127.0.0.1", pages: [String: Page] = [:]) throws {
    self.pages = pages
    self.host = host
    (listener, port) = try Self.listen(on: host)
    let listener = self.listener
    let current: @Sendable () -> FaultServer? = { [weak self] in self }
    Thread.detachNewThread { Self.accept(on: listener, current) }
  }

  deinit { stop() }

  /// A port that nobody listens on now, for another program.
  public static func freePort() throws -> Int {
    let (listener, port) = try listen(on: "127.0.0.1")
    close(listener)
    return port
  }

  static func listen(on host: String) throws -> (listener: Int32, port: Int) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0 else { throw POSIXError(.EMFILE) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr(host)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && Glibc.listen(listener, 4096) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    guard isBound else {
      close(listener)
      throw POSIXError(.EADDRINUSE)
    }
    return (listener, Int(UInt16(bigEndian: address.sin_port)))
  }

  public func url(_ path: String) -> String { "http://\(host):\(port)\(path)" }

  public var counters: Counters { state.withLock { $0.counters } }

  /// Closes the port and every connection.
  public func stop() {
    state.withLock { state in
      guard !state.isStopped else { return }
      state.isStopped = true
      shutdown(listener, Int32(SHUT_RDWR))
      for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  private static func accept(on listener: Int32, _ server: @escaping @Sendable () -> FaultServer?) {
    defer { close(listener) }
    while true {
      let descriptor = Glibc.accept(listener, nil, nil)
      guard descriptor >= 0, let server = server() else {
        if descriptor >= 0 { close(descriptor) }
        return
      }
      guard server.opened(descriptor) else { return }
      // Not inherited: a program that a test starts would keep the connection open.
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      let thread = Thread {
        server.serve(Connection(descriptor: descriptor))
        server.closed(descriptor)
      }
      thread.stackSize = 512 << 10
      thread.start()
    }
  }

  /// A target's path; of one in absolute form too, as a proxy is sent.
  private static func path(_ target: String) -> String {
    guard target.hasPrefix("http://") else { return target }
    return "/" + target.dropFirst(7).split(separator: "/").dropFirst().joined(separator: "/")
  }

  private func opened(_ descriptor: Int32) -> Bool {
    state.withLock { state in
      guard !state.isStopped else {
        close(descriptor)
        return false
      }
      state.descriptors.insert(descriptor)
      state.counters.peers.insert(Connection.peer(of: descriptor))
      state.counters.connections += 1
      state.counters.open += 1
      state.counters.peakOpen = max(state.counters.peakOpen, state.counters.open)
      return true
    }
  }

  private func closed(_ descriptor: Int32) {
    state.withLock { state in
      state.descriptors.remove(descriptor)
      state.counters.open -= 1
      close(descriptor)
    }
  }

  /// Counts a request as waiting while `work` runs.
  func whileWaiting(_ work: () -> Bool) -> Bool {
    state.withLock { state in
      state.counters.waiting += 1
      state.counters.peakWaiting = max(state.counters.peakWaiting, state.counters.waiting)
    }
    defer { state.withLock { $0.counters.waiting -= 1 } }
    return work()
  }

  private func serve(_ connection: Connection) {
    while let head = connection.readHead() {
      let parts = head.split(separator: " ", maxSplits: 2)
      guard parts.count == 3 else { return }
      if parts[0] == "CONNECT" {
        Tunnel.serve(connection, target: String(parts[1]))
        return
      }
      let path = Self.path(String(parts[1]))
      let agent = head.components(separatedBy: "\r\n").first { $0.hasPrefix("User-Agent: ") }
      let attempt = state.withLock { state in
        state.counters.inFlight += 1
        state.counters.peakInFlight = max(state.counters.peakInFlight, state.counters.inFlight)
        state.counters.arrivals[path, default: []].append(
          Double(DispatchTime.now().uptimeNanoseconds) * 1e-9)
        state.counters.order.append(path)
        state.counters.heads[path] = head
        if let agent { state.counters.userAgents.insert(String(agent.dropFirst(12))) }
        return state.counters.requests(of: path)
      }
      let goesOn =
        switch pages[path] {
        case .text(let body, let headers): Fault.text(body, headers, on: connection)
        case .fault(let other):
          Fault.answer(other, attempt: attempt, server: self, on: connection)
        case nil: Fault.answer(path, attempt: attempt, server: self, on: connection)
        }
      state.withLock { state in
        state.counters.inFlight -= 1
        state.counters.bodyBytes += connection.takeSentCount()
      }
      guard goesOn else { return }
    }
  }
}
