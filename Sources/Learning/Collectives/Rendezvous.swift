import Glibc

/// The connections of one rank: a control connection to every other, and one ring.
struct Connections: Sendable {
  /// By rank; nil at this rank's own place.
  var control: [Socket?]
  /// To the next rank of the ring: this rank sends on it.
  var next: Socket
  /// From the previous rank of the ring: this rank receives on it.
  var previous: Socket
}

/// How ranks that know one address find each other.
///
/// Rank 0 listens at the rendezvous. The others open a listener of their own, dial rank 0, and say
/// hello with token, rank, world size and port. Rank 0 answers with the table of addresses. Then
/// each rank dials all lower ranks for control and its successor for data, and takes in what others
/// dial. Whoever shows a wrong token is refused and does not disturb those who wait.
struct Rendezvous {
  let rank: Int
  let worldSize: Int
  let address: Address
  let token: [UInt8]
  let deadline: Deadline

  private static let accepted: UInt32 = 0
  private static let wrongToken: UInt32 = 1
  private static let wrongWorld: UInt32 = 2
  /// Text of an address and its port, in the table.
  private static let entryByteCount = 68

  func connect() throws(CollectiveError) -> Connections {
    var control = [Socket?](repeating: nil, count: worldSize)
    let listener: Socket
    var table: [Address]
    if rank == 0 {
      listener = try address.listen(backlog: worldSize * 2 + 16)
      table = try gatherHellos(listener, &control)
    } else {
      guard let root = try address.dial(before: deadline), let local = root.localAddress else {
        throw .notAllArrived(missing: [0], seconds: deadline.seconds)
      }
      listener = try Address(host: local.host, port: 0).listen(backlog: worldSize * 2 + 16)
      guard let port = listener.localAddress?.port else {
        throw .system(call: "getsockname", errorNumber: errno)
      }
      table = try introduce(to: root, port: port)
      control[0] = root
    }
    for lower in 1..<max(1, rank) { control[lower] = try dial(table[lower], .control, lower) }
    let next = (rank + 1) % worldSize
    let dataOut = try dial(table[next], .data, next)
    var dataIn: Socket?
    try takeIn(listener, purposes: [.control, .data]) { hello, socket in
      guard hello.worldSize == worldSize, (0..<worldSize).contains(hello.rank) else { return false }
      if hello.purpose == .data, hello.rank == (rank + worldSize - 1) % worldSize {
        dataIn = socket
      } else if hello.purpose == .control, hello.rank > rank {
        control[hello.rank] = socket
      } else {
        return false
      }
      return true
    } missing: {
      let controls = control.indices.filter { $0 != rank && control[$0] == nil }
      return controls.isEmpty && dataIn == nil ? [(rank + worldSize - 1) % worldSize] : controls
    }
    guard let dataIn else {
      throw .notAllArrived(missing: [(rank + worldSize - 1) % worldSize], seconds: 0)
    }
    return Connections(control: control, next: dataOut, previous: dataIn)
  }

  private func hello(_ purpose: Hello.Purpose, port: UInt16 = 0) -> [UInt8] {
    Hello(purpose: purpose, rank: rank, worldSize: worldSize, port: port, token: token).encoded()
  }

  private func dial(_ address: Address, _ purpose: Hello.Purpose, _ other: Int)
    throws(CollectiveError) -> Socket
  {
    guard let socket = try address.dial(before: deadline),
      socket.sendAll(hello(purpose), before: deadline)
    else { throw .notAllArrived(missing: [other], seconds: deadline.seconds) }
    return socket
  }

  /// Rank 0: hears every other rank, then tells all where all are.
  private func gatherHellos(_ listener: Socket, _ control: inout [Socket?])
    throws(CollectiveError) -> [Address]
  {
    var sockets = control
    var table = [Address](repeating: address, count: worldSize)
    try takeIn(listener, purposes: [.rendezvous]) { hello, socket in
      guard hello.worldSize == worldSize, (1..<worldSize).contains(hello.rank),
        sockets[hello.rank] == nil, let remote = socket.remoteAddress
      else { return false }
      sockets[hello.rank] = socket
      table[hello.rank] = Address(host: remote.host, port: hello.port)
      return true
    } missing: {
      (1..<worldSize).filter { sockets[$0] == nil }
    }
    var answer: [UInt8] = []
    Wire.append(Self.accepted, to: &answer)
    for entry in table {
      let host = Array(entry.host.utf8.prefix(64))
      answer += host + [UInt8](repeating: 0, count: 64 - host.count)
      Wire.append(UInt32(entry.port), to: &answer)
    }
    for other in 1..<worldSize {
      guard let socket = sockets[other], socket.sendAll(answer, before: deadline) else {
        throw .peerLost(rank: other, operation: "rendezvous")
      }
    }
    control = sockets
    return table
  }

  /// Other ranks: say hello to rank 0 and read its table.
  private func introduce(to root: Socket, port: UInt16) throws(CollectiveError) -> [Address] {
    guard root.sendAll(hello(.rendezvous, port: port), before: deadline),
      let code = root.receiveAll(4, before: deadline)
    else {
      throw deadline.isPast
        ? .notAllArrived(missing: [], seconds: deadline.seconds)
        : .peerLost(rank: 0, operation: "rendezvous")
    }
    switch Wire.integer(code, at: 0) {
    case Self.accepted: break
    case Self.wrongToken: throw .refused("the token is wrong")
    default: throw .refused("the world size differs, or rank \(rank) is there already")
    }
    guard let bytes = root.receiveAll(Self.entryByteCount * worldSize, before: deadline) else {
      throw .peerLost(rank: 0, operation: "rendezvous")
    }
    var table = (0..<worldSize).map { index in
      let entry = bytes[(Self.entryByteCount * index)...]
      return Address(
        host: String(decoding: entry.prefix(64).prefix { $0 != 0 }, as: UTF8.self),
        port: UInt16(truncatingIfNeeded: Wire.integer(bytes, at: Self.entryByteCount * index + 64)))
    }
    table[0] = address
    return table
  }

  /// Accepts connections until none is missing, reading all hellos side by side.
  ///
  /// One that never speaks therefore holds up nobody, nor do strangers that dial without end.
  private func takeIn(
    _ listener: Socket, purposes: Set<Hello.Purpose>, _ take: (Hello, Socket) -> Bool,
    missing: () -> [Int]
  ) throws(CollectiveError) {
    var pending: [(socket: Socket, bytes: [UInt8])] = []
    while !missing().isEmpty {
      let interests =
        [(listener.descriptor, Int16(POLLIN))]
        + pending.map { ($0.socket.descriptor, Int16(POLLIN)) }
      let ready = Poll.wait(interests, deadline)
      guard !deadline.isPast, ready.contains(where: { $0 != 0 }) else {
        throw .notAllArrived(missing: missing(), seconds: deadline.seconds)
      }
      for index in pending.indices.reversed() where ready[index + 1] != 0 {
        let rest = Hello.byteCount - pending[index].bytes.count
        var part = [UInt8](repeating: 0, count: rest)
        switch unsafe part.withUnsafeMutableBytes({ unsafe pending[index].socket.receive($0) }) {
        case .moved(let count): pending[index].bytes += part.prefix(count)
        case .wouldBlock: continue
        case .ended:
          pending.remove(at: index)
          continue
        }
        guard pending[index].bytes.count == Hello.byteCount else { continue }
        let (socket, bytes) = pending.remove(at: index)
        var refusal: UInt32?
        if let hello = Hello(bytes, token: token) {
          // A rank that has its table already may dial before the last one is heard: data and
          // control reach rank 0's listener only after the table was sent, so all are in order.
          if !purposes.contains(hello.purpose) || !take(hello, socket) { refusal = Self.wrongWorld }
        } else {
          refusal = Self.wrongToken
        }
        if let refusal {
          var answer: [UInt8] = []
          Wire.append(refusal, to: &answer)
          _ = socket.sendAll(answer, before: Deadline(seconds: 1))
        }
      }
      if ready[0] != 0, let socket = listener.accept() { pending.append((socket, [])) }
    }
  }
}
