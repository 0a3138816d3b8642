import Glibc

/// One name looked up through the system's resolver, as every program on the machine would.
package struct HostLookup: Sendable, Equatable {
  package var host: String
  package var seconds: Double
  package var addresses: [String]
  /// The resolver's words where there is no address; nil on success.
  package var error: String?

  package init(host: String, seconds: Double, addresses: [String] = [], error: String? = nil) {
    self.host = host
    self.seconds = seconds
    self.addresses = addresses
    self.error = error
  }

  /// Blocks as long as the resolver does.
  static func run(_ host: String) -> HostLookup {
    let clock = ContinuousClock()
    let start = clock.now
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, nil, &hints, &first)
    // Safe: freed once, after the last look; getaddrinfo sets it only on success.
    defer { if code == 0 { unsafe freeaddrinfo(first) } }
    let seconds = (clock.now - start) / .seconds(1)
    guard code == 0 else {
      return HostLookup(
        host: host, seconds: seconds, error: unsafe String(cString: gai_strerror(code)))
    }
    var addresses: [String] = []
    var next = unsafe first
    while let entry = unsafe next {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let named = unsafe getnameinfo(
        entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
        NI_NUMERICHOST)
      if named == 0 {
        addresses.append(
          String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
      }
      unsafe next = entry.pointee.ai_next
    }
    return HostLookup(host: host, seconds: seconds, addresses: addresses)
  }
}
