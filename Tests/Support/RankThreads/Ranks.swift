import Collectives
import Foundation
import Synchronization

/// Ranks as threads of this process that meet over real loopback sockets.
public enum Ranks {
  /// What each rank's `body` gave or threw, by rank.
  public static func run<T: Sendable>(
    _ worldSize: Int, operationDeadline: Double = 60,
    _ body: @escaping @Sendable (ProcessGroup) throws -> T
  ) throws -> [Result<T, any Error>] {
    let port = try ProcessGroup.freeLoopbackPort()
    return each(worldSize) { rank in
      let group = try ProcessGroup.connect(
        rank: rank, worldSize: worldSize, rendezvous: "127.0.0.1:\(port)", token: "secret",
        deadline: 30, operationDeadline: operationDeadline)
      defer { group.close() }
      return try body(group)
    }
  }

  /// Runs `body` on a thread of its own for each index and waits for all.
  public static func each<T: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) throws -> T
  ) -> [Result<T, any Error>] {
    let results = Shared<[Int: Result<T, any Error>]>([:])
    let done = DispatchGroup()
    for index in 0..<count {
      done.enter()
      Thread {
        let result = Result { try body(index) }
        results.value.withLock { $0[index] = result }
        done.leave()
      }.start()
    }
    done.wait()
    return results.value.withLock { table in table.sorted { $0.key < $1.key }.map(\.value) }
  }
}

/// A value behind a lock that threads share.
public final class Shared<Value: Sendable>: Sendable {
  public let value: Mutex<Value>
  public init(_ value: Value) { self.value = Mutex(value) }
}
