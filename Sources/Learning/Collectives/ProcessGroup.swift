import Glibc
import Synchronization

/// The ranks of one training run, joined by TCP.
///
/// Every rank calls the same operations in the same order; one operation runs at a time, and each
/// ends within ``operationDeadline`` or throws. When a rank is lost, every other rank's operation
/// throws ``CollectiveError/peerLost(rank:operation:)`` with its number: ranks that notice first tell
/// the others over control connections that carry no data. The token keeps strangers and stray
/// runs out; the bytes themselves are neither encrypted nor authenticated, so use it on
/// loopback or a trusted network.
public final class ProcessGroup: Sendable {
  public let rank: Int
  public let worldSize: Int
  /// Seconds that one operation may take.
  public let operationDeadline: Double

  struct State: Sendable {
    var ring: Ring?
    var failure: CollectiveError?
    var secondsInOperations = 0.0
  }
  let state: Mutex<State>

  init(rank: Int, worldSize: Int, operationDeadline: Double, ring: Ring?) {
    self.rank = rank
    self.worldSize = worldSize
    self.operationDeadline = operationDeadline
    state = Mutex(State(ring: ring))
  }

  deinit { close() }

  /// A world of one: every operation returns at once and sends nothing.
  public static var alone: ProcessGroup {
    ProcessGroup(rank: 0, worldSize: 1, operationDeadline: 120, ring: nil)
  }

  /// Joins `worldSize` ranks and returns when all are connected.
  ///
  /// - Parameters:
  ///   - rank: This process's number, 0 ..< `worldSize`.
  ///   - worldSize: The number of ranks, at most 1,024.
  ///   - rendezvous: Where rank 0 listens, as `host:port` or `[IPv6]:port`.
  ///   - token: A shared secret of at most 256 bytes, compared in constant time.
  ///   - deadline: Seconds until all must have arrived.
  ///   - operationDeadline: Seconds that one later operation may take.
  /// - Returns: The connected group.
  /// - Throws: ``CollectiveError`` when ranks are missing, refused or unreachable.
  public static func connect(
    rank: Int, worldSize: Int, rendezvous: String, token: String, deadline: Double,
    operationDeadline: Double = 120
  ) throws(CollectiveError) -> ProcessGroup {
    precondition(
      worldSize > 0 && worldSize <= Wire.largestWorld && (0..<worldSize).contains(rank),
      "rank \(rank) of \(worldSize)")
    guard worldSize > 1 else {
      return ProcessGroup(rank: 0, worldSize: 1, operationDeadline: operationDeadline, ring: nil)
    }
    guard token.utf8.count <= Wire.longestToken else {
      throw .refused("the token is longer than \(Wire.longestToken) bytes")
    }
    let end = Deadline(seconds: deadline)
    let connections = try Rendezvous(
      rank: rank, worldSize: worldSize, address: try Address(parsing: rendezvous),
      token: Array(token.utf8), deadline: end
    ).connect()
    let group = ProcessGroup(
      rank: rank, worldSize: worldSize, operationDeadline: operationDeadline,
      ring: Ring(rank: rank, worldSize: worldSize, connections: connections))
    try group.barrier(deadline: end)
    return group
  }

  /// A port of the loopback interface that nothing listens on just now.
  ///
  /// For a parent that starts local ranks and has to tell them where to meet.
  public static func freeLoopbackPort() throws(CollectiveError) -> Int {
    let listener = try Address(host: "127.0.0.1", port: 0).listen(backlog: 1)
    guard let port = listener.localAddress?.port else {
      throw .system(call: "getsockname", errorNumber: errno)
    }
    return Int(port)
  }

  /// Bytes that this rank has sent over its ring, headers included.
  public var bytesSent: Int { state.withLock { $0.ring?.bytesSent ?? 0 } }

  /// Seconds that this rank has spent inside operations.
  public var secondsInOperations: Double { state.withLock { $0.secondsInOperations } }

  /// Leaves the group; operations of ranks that still wait for this one fail and name it.
  public func close() {
    state.withLock { state in
      guard let ring = state.ring else { return }
      if state.failure == nil { ring.tellAll(Notice(kind: .goodbye, rank: rank)) }
      state.failure = state.failure ?? .closed
      ring.shutDown()
      state.ring = nil
    }
  }

  /// Runs one operation on the ring; after a failure tells every rank and stays broken.
  func operate(
    _ deadline: Deadline?, _ body: (inout Ring, Deadline) throws(CollectiveError) -> Void
  ) throws(CollectiveError) {
    let deadline = deadline ?? Deadline(seconds: operationDeadline)
    let started = Deadline.now()
    let failure = state.withLock { state -> CollectiveError? in
      defer { state.secondsInOperations += Double(Deadline.now() - started) * 1e-9 }
      if let failure = state.failure { return failure }
      guard var ring = state.ring else { return nil }
      do throws(CollectiveError) {
        try body(&ring, deadline)
        state.ring = ring
        return nil
      } catch {
        if let lost = error.lostRank { ring.tellAll(Notice(kind: .abort, rank: lost)) }
        ring.shutDown()
        state.ring = ring
        state.failure = error
        return error
      }
    }
    if let failure { throw failure }
  }
}

extension CollectiveError {
  /// The rank to name to the others.
  var lostRank: Int? {
    switch self {
    case .peerLost(let rank, _), .timedOut(_, let rank, _), .protocolViolation(let rank, _): rank
    default: nil
    }
  }
}
