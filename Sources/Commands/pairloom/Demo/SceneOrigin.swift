import Foundation
package import SceneWorld
import Synchronization

/// The demo's own web: serves a ``DemoWorld`` on 127.0.0.1 and misbehaves as its rows say.
///
/// HTTP/1.1 with keep-alive, one thread per connection, pictures drawn on the fly and none kept.
/// One core answers about 2,700 requests a second. It is no FlyingFox server: that sends header and
/// body in two writes without TCP_NODELAY, so that each request on a kept connection waits 45 ms for
/// an acknowledgement (0.27.1: 22 requests a second on one connection, 1,219 on 64).
package final class SceneOrigin: Sendable {
  package struct Statistics: Equatable, Sendable {
    package var requests = 0
    package var connections = 0

    package init(requests: Int = 0, connections: Int = 0) {
      self.requests = requests
      self.connections = connections
    }
  }

  private struct State {
    var statistics = Statistics()
    /// Requests so far, for rows that heal.
    var requestsOfRow: [Int: Int] = [:]
    var open: [Int: LoopbackConnection] = [:]
    var isStopped = false
  }

  private let world: DemoWorld
  private let listener: LoopbackListener
  private let state = Mutex(State())
  private let threads = DispatchGroup()

  /// Starts to serve at once.
  ///
  /// - Parameters:
  ///   - world: What to serve.
  ///   - port: The port on 127.0.0.1; 0 takes a free one.
  /// - Throws: `LoopbackError` when the port cannot be had.
  package init(world: DemoWorld, port: Int = 0) throws {
    self.world = world
    listener = try LoopbackListener(port: port)
    let listener = listener
    start { [weak self] in
      while let connection = listener.nextConnection() { self?.accept(connection) }
    }
  }

  deinit { listener.shutDown() }

  package var port: Int { listener.port }
  /// Scheme, host and port, to stand before a row's path.
  package var address: String { "http://127.0.0.1:\(port)" }
  package var statistics: Statistics { state.withLock(\.statistics) }

  /// Closes the port and every connection, and returns when no thread serves any more.
  package func stop() {
    listener.shutDown()
    let open = state.withLock { state in
      state.isStopped = true
      return Array(state.open.values)
    }
    for connection in open { connection.shutDown() }
    threads.wait()
  }

  private func start(_ body: @escaping @Sendable () -> Void) {
    threads.enter()
    let threads = threads
    Thread.detachNewThread {
      body()
      threads.leave()
    }
  }

  private func accept(_ connection: LoopbackConnection) {
    let number: Int? = state.withLock { state in
      guard !state.isStopped else { return nil }
      state.statistics.connections += 1
      state.open[state.statistics.connections] = connection
      return state.statistics.connections
    }
    guard let number else { return }
    start { [self] in
      serve(connection)
      state.withLock { state in
        connection.shutDown()
        state.open[number] = nil
      }
    }
  }

  /// Answers requests in order until the client or an answer ends the connection.
  private func serve(_ connection: LoopbackConnection) {
    var reader = OriginRequestReader()
    while true {
      switch reader.next() {
      case .needsMore:
        let bytes = connection.receive()
        guard !bytes.isEmpty else { return }
        reader.append(bytes)
      case .malformed:
        let answer = DemoAnswer(status: 400, text: "Not an HTTP request that this server knows.")
        _ = connection.send(OriginResponse.bytes(answer, isHead: false, keepsAlive: false))
        return
      case .request(let request):
        let answer = answer(to: request)
        let keepsAlive = request.keepsAlive && answer.cutAfter == nil
        let bytes = OriginResponse.bytes(
          answer, isHead: request.method == "HEAD", keepsAlive: keepsAlive)
        guard connection.send(bytes), keepsAlive else { return }
      }
    }
  }

  private func answer(to request: OriginRequest) -> DemoAnswer {
    let row = world.row(at: request.path)
    let number = state.withLock { state in
      state.statistics.requests += 1
      guard let row, world.rows[row].failuresBefore > 0 else { return 0 }
      let number = state.requestsOfRow[row, default: 0]
      state.requestsOfRow[row] = number + 1
      return number
    }
    guard request.method == "GET" || request.method == "HEAD" else {
      return DemoAnswer(status: 405, text: "Only GET and HEAD.")
    }
    guard let row else { return DemoAnswer(status: 404, text: "Not found.") }
    do {
      return try world.answer(row: row, request: number)
    } catch {
      return DemoAnswer(status: 500, text: "Row \(row) cannot be drawn: \(error)")
    }
  }
}
