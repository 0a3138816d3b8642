import Glibc

/// One rank's part of the ring: sends chunks to the next rank while it receives from the previous.
///
/// Sending and receiving are non-blocking and driven by one poll loop, and receiving never waits for
/// sending, so no buffer size can make the ring block itself.
struct Ring: Sendable {
  /// A place of the buffer that a received chunk goes to.
  struct Arrival: Sendable {
    var range: Range<Int>
    /// Added to what is there, or put in its place.
    var adds: Bool
  }

  let rank: Int
  let worldSize: Int
  let connections: Connections
  var bytesSent = 0
  private var operation: UInt32 = 0
  private var scratch: [Float] = []
  private var hasLeft: [Bool]
  private var notices: [[UInt8]]

  init(rank: Int, worldSize: Int, connections: Connections) {
    self.rank = rank
    self.worldSize = worldSize
    self.connections = connections
    hasLeft = [Bool](repeating: false, count: worldSize)
    notices = [[UInt8]](repeating: [], count: worldSize)
  }

  var nextRank: Int { (rank + 1) % worldSize }
  var previousRank: Int { (rank + worldSize - 1) % worldSize }

  /// Floats in one chunk: 256 KiB, which stays in the second-level cache while it is reduced.
  static let chunkFloats = Wire.longestPayload / 4

  /// `range` cut into chunks.
  static func chunks(_ range: Range<Int>) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: chunkFloats).map {
      $0..<min($0 + chunkFloats, range.upperBound)
    }
  }

  /// Sends `departures` in order while it receives `arrivals` in order.
  ///
  /// Departure j may leave as soon as j < `ready` + the arrivals so far: what a rank passes on is
  /// what it received one step before.
  mutating func run(
    _ name: String, kind: UInt32, buffer: inout MutableSpan<Float>, departures: [Range<Int>],
    ready: Int,
    arrivals: [Arrival], deadline: Deadline
  ) throws(CollectiveError) {
    operation &+= 1
    if scratch.isEmpty { scratch = [Float](repeating: 0, count: Self.chunkFloats) }
    var sent = 0
    var outgoing: (header: [UInt8], done: Int) = ([], 0)
    var arrived = 0
    var incoming: (header: [UInt8], done: Int) = ([], 0)
    while sent < departures.count || arrived < arrivals.count {
      var isStuck = true
      while sent < min(departures.count, ready + arrived) {
        let range = departures[sent]
        if outgoing.header.isEmpty { outgoing.header = header(kind, sent, buffer.count, range) }
        let before = outgoing.done
        guard send(&outgoing, range, of: buffer) else {
          throw try loss(of: nextRank, name, deadline)
        }
        if outgoing.done > before { isStuck = false }
        guard outgoing.done == outgoing.header.count + range.count * 4 else { break }
        sent += 1
        outgoing = ([], 0)
      }
      while arrived < arrivals.count {
        let arrival = arrivals[arrived]
        let before = incoming.done
        guard receive(&incoming, arrival, &buffer) else {
          throw try loss(of: previousRank, name, deadline)
        }
        if incoming.done > before { isStuck = false }
        if incoming.done >= ChunkHeader.byteCount {
          try check(incoming.header, kind, arrived, buffer.count, arrival.range, name)
        }
        guard incoming.done == ChunkHeader.byteCount + arrival.range.count * 4 else { break }
        if arrival.adds { add(to: &buffer, arrival.range) }
        arrived += 1
        incoming = ([], 0)
        // One chunk at a time, so that it leaves for the next rank before the following one is read.
        break
      }
      if isStuck {
        let waitsToSend = sent < min(departures.count, ready + arrived)
        try wait(name, toSend: waitsToSend, toReceive: arrived < arrivals.count, deadline)
      }
    }
  }

  private func header(_ kind: UInt32, _ chunk: Int, _ total: Int, _ range: Range<Int>) -> [UInt8] {
    ChunkHeader(
      kind: kind, operation: operation, chunk: UInt32(chunk),
      total: UInt32(truncatingIfNeeded: total), length: UInt32(range.count * 4)
    ).encoded()
  }

  /// Checks the header before a byte of its payload is read.
  private func check(
    _ bytes: [UInt8], _ kind: UInt32, _ chunk: Int, _ total: Int, _ range: Range<Int>,
    _ name: String
  ) throws(CollectiveError) {
    let expected = ChunkHeader(
      kind: kind, operation: operation, chunk: UInt32(chunk),
      total: UInt32(truncatingIfNeeded: total), length: UInt32(range.count * 4))
    guard let header = ChunkHeader(bytes) else {
      throw .protocolViolation(rank: previousRank, "bytes that are no frame during \(name)")
    }
    guard header == expected else {
      throw .protocolViolation(
        rank: previousRank, "\(header) during \(name) instead of \(expected)")
    }
  }

  /// Moves what the socket takes now; false when the connection has ended.
  private mutating func send(
    _ frame: inout (header: [UInt8], done: Int), _ range: Range<Int>,
    of buffer: borrowing MutableSpan<Float>
  ) -> Bool {
    while frame.done < frame.header.count + range.count * 4 {
      let done = frame.done
      let progress: Socket.Progress
      if done < frame.header.count {
        progress = unsafe frame.header.withUnsafeBytes {
          unsafe connections.next.send(UnsafeRawBufferPointer(rebasing: $0[done...]))
        }
      } else {
        let first = range.lowerBound * 4 + done - frame.header.count
        progress = unsafe buffer.withUnsafeBytes {
          unsafe connections.next.send(
            UnsafeRawBufferPointer(rebasing: $0[first..<(range.upperBound * 4)]))
        }
      }
      switch progress {
      case .moved(let count):
        frame.done += count
        bytesSent += count
      case .wouldBlock: return true
      case .ended: return false
      }
    }
    return true
  }

  /// Reads what is there of the header, or of the payload once the header is whole.
  private mutating func receive(
    _ frame: inout (header: [UInt8], done: Int), _ arrival: Arrival,
    _ buffer: inout MutableSpan<Float>
  ) -> Bool {
    let done = frame.done
    let progress: Socket.Progress
    if done < ChunkHeader.byteCount {
      var part = [UInt8](repeating: 0, count: ChunkHeader.byteCount - done)
      progress = unsafe part.withUnsafeMutableBytes { unsafe connections.previous.receive($0) }
      if case .moved(let count) = progress { frame.header += part.prefix(count) }
    } else {
      let offset = done - ChunkHeader.byteCount
      let bytes = arrival.range.count * 4
      if arrival.adds {
        progress = unsafe scratch.withUnsafeMutableBytes {
          unsafe connections.previous.receive(
            UnsafeMutableRawBufferPointer(rebasing: $0[offset..<bytes]))
        }
      } else {
        let first = arrival.range.lowerBound * 4
        progress = unsafe buffer.withUnsafeMutableBytes {
          unsafe connections.previous.receive(
            UnsafeMutableRawBufferPointer(rebasing: $0[(first + offset)..<(first + bytes)]))
        }
      }
    }
    switch progress {
    case .moved(let count):
      frame.done += count
      return true
    case .wouldBlock: return true
    case .ended: return false
    }
  }

  private func add(to buffer: inout MutableSpan<Float>, _ range: Range<Int>) {
    let first = range.lowerBound
    for index in 0..<range.count { buffer[first + index] += scratch[index] }
  }
}

extension Ring {
  /// Waits until something can move; throws when a rank is lost or time is up.
  private mutating func wait(
    _ name: String, toSend: Bool, toReceive: Bool, _ deadline: Deadline
  ) throws(CollectiveError) {
    var interests: [(descriptor: Int32, events: Int16)] = []
    var others: [Int] = []
    for (other, socket) in connections.control.enumerated() where !hasLeft[other] {
      guard let socket else { continue }
      interests.append((socket.descriptor, Int16(POLLIN)))
      others.append(other)
    }
    if toSend { interests.append((connections.next.descriptor, Int16(POLLOUT))) }
    if toReceive { interests.append((connections.previous.descriptor, Int16(POLLIN))) }
    let ready = Poll.wait(interests, deadline)
    guard ready.contains(where: { $0 != 0 }) else {
      throw .timedOut(
        operation: name, waitingFor: toReceive ? previousRank : nextRank,
        seconds: deadline.seconds)
    }
    for (index, other) in others.enumerated() where ready[index] != 0 {
      if let lost = readNotice(from: other) { throw .peerLost(rank: lost, operation: name) }
    }
  }

  /// The rank that a control connection reports lost; its own end counts as its loss.
  private mutating func readNotice(from other: Int) -> Int? {
    guard let socket = connections.control[other], !hasLeft[other] else { return nil }
    var part = [UInt8](repeating: 0, count: Notice.byteCount - notices[other].count)
    switch unsafe part.withUnsafeMutableBytes({ unsafe socket.receive($0) }) {
    case .wouldBlock: return nil
    case .ended: return other
    case .moved(let count): notices[other] += part.prefix(count)
    }
    guard notices[other].count == Notice.byteCount else { return nil }
    guard let notice = Notice(notices[other]) else { return other }
    if notice.kind == .abort { return notice.rank }
    // It leaves in peace. Whether its data is still needed, the ring itself will find out.
    hasLeft[other] = true
    return nil
  }

  /// Why a ring connection ended: the neighbour itself, or the rank that it reports lost.
  private mutating func loss(of neighbour: Int, _ name: String, _ deadline: Deadline)
    throws(CollectiveError) -> CollectiveError
  {
    // The notice was sent before the ring was shut, yet on another connection: give it a second.
    let patience = Deadline(seconds: min(1, Double(deadline.milliseconds) / 1000))
    while let socket = connections.control[neighbour], !hasLeft[neighbour] {
      guard Poll.wait([(socket.descriptor, Int16(POLLIN))], patience)[0] != 0 else { break }
      if let lost = readNotice(from: neighbour) { return .peerLost(rank: lost, operation: name) }
    }
    return .peerLost(rank: neighbour, operation: name)
  }

  /// Sends `notice` to every rank; one that cannot take it is lost anyway.
  func tellAll(_ notice: Notice) {
    let bytes = notice.encoded()
    for socket in connections.control {
      _ = socket?.sendAll(bytes, before: Deadline(seconds: 0.2))
    }
  }

  func shutDown() {
    connections.next.shutDown()
    connections.previous.shutDown()
    for socket in connections.control { socket?.shutDown() }
  }
}
