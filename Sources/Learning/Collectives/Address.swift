import Glibc

/// Where a rank listens.
struct Address: Sendable, Equatable {
  var host: String
  var port: UInt16

  init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Reads `host:port` or `[IPv6]:port`.
  init(parsing text: String) throws(CollectiveError) {
    guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")),
      let port = UInt16(text[text.utf8.index(after: colon)...])
    else { throw .badRendezvous("'\(text)' is not host:port") }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    guard !host.isEmpty else { throw .badRendezvous("'\(text)' names no host") }
    self.init(host: host, port: port)
  }

  /// Opens a socket that listens here; port 0 takes a free one.
  func listen(backlog: Int) throws(CollectiveError) -> Socket {
    let listener = unsafe try open(passive: true) { (socket, address, length) in
      socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
      return unsafe bind(socket.descriptor, address, length) == 0
    }
    guard let listener else {
      throw .badRendezvous("\(host):\(port) cannot be bound (error \(errno))")
    }
    guard Glibc.listen(listener.descriptor, Int32(backlog)) == 0 else {
      throw .system(call: "listen", errorNumber: errno)
    }
    listener.configure()
    return listener
  }

  /// Dials this address again and again until it answers or the deadline passes.
  func dial(before deadline: Deadline) throws(CollectiveError) -> Socket? {
    var pause: useconds_t = 5_000
    while !deadline.isPast {
      let connected = unsafe try open(passive: false) { (socket, address, length) in
        socket.configure()
        if unsafe connect(socket.descriptor, address, length) == 0 { return true }
        guard errno == EINPROGRESS else { return false }
        let ready = Poll.wait([(socket.descriptor, Int16(POLLOUT))], deadline)[0]
        var failure: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        let code = unsafe getsockopt(socket.descriptor, SOL_SOCKET, SO_ERROR, &failure, &size)
        return ready != 0 && code == 0 && failure == 0
      }
      if let connected { return connected }
      usleep(pause)
      pause = min(pause * 2, 250_000)
    }
    return nil
  }

  /// The first socket of the resolved addresses with which `attempt` succeeds.
  private func open(
    passive: Bool, _ attempt: (Socket, UnsafePointer<sockaddr>, socklen_t) -> Bool
  ) throws(CollectiveError) -> Socket? {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = passive ? AI_PASSIVE : 0
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, String(port), &hints, &list)
    guard code == 0 else {
      throw .badRendezvous("\(host): \(unsafe String(cString: gai_strerror(code)))")
    }
    defer { unsafe freeaddrinfo(list) }
    var next = unsafe list
    while let entry = unsafe next {
      let descriptor = unsafe socket(
        entry.pointee.ai_family, entry.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
      guard descriptor >= 0 else { throw .system(call: "socket", errorNumber: errno) }
      let socket = Socket(descriptor)
      if let address = unsafe entry.pointee.ai_addr,
        unsafe attempt(socket, address, entry.pointee.ai_addrlen)
      {
        return socket
      }
      unsafe next = entry.pointee.ai_next
    }
    return nil
  }
}

extension Socket {
  /// This end of the connection.
  var localAddress: Address? {
    unsafe address { unsafe getsockname(descriptor, $0, $1) }
  }

  /// The other end of the connection.
  var remoteAddress: Address? {
    unsafe address { unsafe getpeername(descriptor, $0, $1) }
  }

  /// The next waiting connection, if any.
  func accept() -> Socket? {
    let descriptor = Glibc.accept(self.descriptor, nil, nil)
    guard descriptor >= 0 else { return nil }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    let socket = Socket(descriptor)
    socket.configure()
    return socket
  }

  private func address(
    _ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) -> Address? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    var host = [CChar](repeating: 0, count: 64)
    var port = [CChar](repeating: 0, count: 8)
    let code = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        guard unsafe ask(address, &length) == 0 else { return Int32(-1) }
        return unsafe getnameinfo(
          address, length, &host, socklen_t(host.count), &port, socklen_t(port.count),
          NI_NUMERICHOST | NI_NUMERICSERV)
      }
    }
    guard code == 0, let number = UInt16(Self.text(port)) else { return nil }
    return Address(host: Self.text(host), port: number)
  }

  private static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
