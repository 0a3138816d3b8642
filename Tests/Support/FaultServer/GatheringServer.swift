import Foundation
import Synchronization

/// Answers nobody until a given number of clients have asked, each on a connection of its own; then
/// all, with 20,000 bytes each.
///
/// One thread. It proves that so many transfers were open at once.
public final class GatheringServer: Sendable {
  public let port: Int
  private let listener: Int32
  private let asked = Atomic(0)

  /// Requests that had come when the first was answered, so far.
  public var gathered: Int { asked.load(ordering: .relaxed) }

  /// - Throws: `POSIXError` when there are not `count` descriptors to be had, or no port.
  public init(count: Int) throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, rlim_t(count + 1000)))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    (listener, port) = try FaultServer.listen(on: "127.0.0.1")
    Thread.detachNewThread { [weak self, listener] in
      var connections: [Connection] = []
      defer { for connection in connections { close(connection.descriptor) } }
      while connections.count < count {
        let descriptor = accept(listener, nil, nil)
        guard descriptor >= 0 else { return }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        connections.append(Connection(descriptor: descriptor))
      }
      let body = [UInt8](repeating: 1, count: 20_000)
      for connection in connections where connection.readHead() != nil {
        self?.asked.add(1, ordering: .relaxed)
      }
      for connection in connections {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
        connection.send(body)
      }
      // They stay open until the client has what it wants.
      for connection in connections { _ = connection.receive() }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }
}
