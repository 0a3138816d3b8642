import CCurl
import CrawlPolicy
import Glibc

/// From where connections are made: an address of this machine, or a network interface.
struct SourceAddress: Sendable {
  private enum Kind {
    case address(IPAddress)
    case interface(String)
  }

  private let kind: Kind

  /// - Parameter text: An IPv4 or IPv6 address, or an interface's name such as `eth0`.
  /// - Throws: `FetchOptionsError` for what this machine does not have.
  init(_ text: String) throws(FetchOptionsError) {
    if let address = IPAddress(text) {
      kind = .address(address)
    } else if unsafe if_nametoindex(text) != 0 {
      kind = .interface(text)
    } else {
      throw FetchOptionsError(
        option: "sourceAddress", rule: "an address or interface of this machine (see `ip address`)")
    }
    if case .address(let address) = kind {
      let family = if case .v4 = address { AF_INET } else { AF_INET6 }
      let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      defer { close(descriptor) }
      guard bind(descriptor, family: family) == nil else {
        throw FetchOptionsError(option: "sourceAddress", rule: "an address of this machine")
      }
    }
  }

  /// Ties a new socket to the source; what went wrong, or nil.
  func bind(_ descriptor: Int32, family: Int32) -> String? {
    var code: Int32
    switch kind {
    case .address(.v4(let bits)):
      guard family == AF_INET else { return "no IPv6 from an IPv4 source address" }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = bits.bigEndian
      // Safe: the address is valid for the call, and its size is given.
      code = unsafe withUnsafeBytes(of: &address) {
        unsafe Glibc.bind(
          descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
      }
    case .address(.v6(let bits)):
      guard family == AF_INET6 else { return "no IPv4 from an IPv6 source address" }
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      // Safe: both are 16 bytes; as above.
      unsafe withUnsafeMutableBytes(of: &address.sin6_addr) {
        unsafe $0.storeBytes(of: bits.bigEndian, as: UInt128.self)
      }
      code = unsafe withUnsafeBytes(of: &address) {
        unsafe Glibc.bind(
          descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
      }
    case .interface(let name):
      // Safe: the name's bytes are read within the call.
      code = unsafe setsockopt(
        descriptor, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(name.utf8.count))
    }
    return code == 0 ? nil : "source address: \(unsafe String(cString: strerror(errno)))"
  }
}
