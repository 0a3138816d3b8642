import Foundation
import Synchronization

/// A web server on a loopback port that answers as a test says.
///
/// One thread accepts, one serves each connection. Ends with `stop`, or with the last reference.
public final class AnswerServer: Sendable {
  public struct Answer: Sendable {
    public var status: Int
    public var headers: [String]
    public var body: [UInt8]
    /// Bytes of the body after which the connection ends; nil sends all.
    public var cut: Int?

    public init(_ status: Int, headers: [String] = [], body: [UInt8] = [], cut: Int? = nil) {
      self.status = status
      self.headers = headers
      self.body = body
      self.cut = cut
    }
  }

  private struct State {
    var requests: [String: Int] = [:]
    var descriptors: Set<Int32> = []
    var isStopped = false
  }

  public let port: Int
  private let listener: Int32
  private let answer: @Sendable (_ path: String, _ head: String) -> Answer
  private let state = Mutex(State())

  /// Listens on a free port, and asks `answer` what to say to each path, on any thread.
  public convenience init(_ answer: @escaping @Sendable (String) -> Answer) throws {
    try self.init(heads: { path, _ in answer(path) })
  }

  /// The same, where the answer depends on the request's lines, too.
  public init(heads answer: @escaping @Sendable (_ path: String, _ head: String) -> Answer) throws {
    self.answer = answer
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0 else { throw POSIXError(.EMFILE) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = self.listener
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 1024) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    guard isBound else { throw POSIXError(.EADDRINUSE) }
    port = Int(UInt16(bigEndian: address.sin_port))
    let current: @Sendable () -> AnswerServer? = { [weak self] in self }
    Thread.detachNewThread { Self.accept(on: listener, current) }
  }

  deinit { stop() }

  public func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

  /// How often a path was asked for.
  public func requests(of path: String) -> Int { state.withLock { $0.requests[path] ?? 0 } }

  /// Closes the port and every connection.
  public func stop() {
    state.withLock { state in
      guard !state.isStopped else { return }
      state.isStopped = true
      shutdown(listener, Int32(SHUT_RDWR))
      for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  private static func accept(
    on listener: Int32, _ server: @escaping @Sendable () -> AnswerServer?
  ) {
    defer { close(listener) }
    while true {
      let descriptor = Glibc.accept(listener, nil, nil)
      guard descriptor >= 0, let server = server(), server.opened(descriptor) else {
        if descriptor >= 0 { close(descriptor) }
        return
      }
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

  private func opened(_ descriptor: Int32) -> Bool {
    state.withLock { state in
      if !state.isStopped { state.descriptors.insert(descriptor) }
      return !state.isStopped
    }
  }

  private func closed(_ descriptor: Int32) {
    state.withLock { state in
      state.descriptors.remove(descriptor)
      close(descriptor)
    }
  }

  private func serve(_ connection: Connection) {
    while let head = connection.readHead() {
      let parts = head.split(separator: " ", maxSplits: 2)
      guard parts.count == 3 else { return }
      let path = String(parts[1])
      state.withLock { $0.requests[path, default: 0] += 1 }
      let answer = answer(path, head)
      let lines =
        ["HTTP/1.1 \(answer.status) Status", "Content-Length: \(answer.body.count)"]
        + answer.headers + ["", ""]
      let body = answer.cut.map { Array(answer.body.prefix($0)) } ?? answer.body
      guard connection.send(Array(lines.joined(separator: "\r\n").utf8) + body),
        answer.cut == nil
      else { return }
    }
  }
}
