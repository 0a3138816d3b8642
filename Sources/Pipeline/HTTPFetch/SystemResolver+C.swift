// For <sys/socket.h>, which Swift's Glibc module lacks.
import CCurl
import CrawlPolicy
import Glibc

/// This machine's resolver, `getaddrinfo`: /etc/hosts, DNS, whatever nsswitch.conf names.
public struct SystemResolver: HostResolver {
  public init() {}

  public func addresses(of name: String) -> HostAnswer {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(name, nil, &hints, &list)
    // EAI_NODATA is GNU's: the name exists and has no address.
    let noData: Int32 = -5
    guard code == 0 else {
      if code == EAI_NONAME || code == noData { return .noSuchHost }
      if code == EAI_SYSTEM { return .failed(unsafe String(cString: strerror(errno))) }
      return .failed(unsafe String(cString: gai_strerror(code)))
    }
    // Safe: on success the list is ours until it is freed; each entry has ai_addrlen bytes.
    defer { unsafe freeaddrinfo(list) }
    var addresses: [IPAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
      let bytes = unsafe Array(
        UnsafeRawBufferPointer(
          start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen)))
      if let address = IPAddress(socketAddress: bytes), !addresses.contains(address) {
        addresses.append(address)
      }
      unsafe next = entry.pointee.ai_next
    }
    return addresses.isEmpty ? .noSuchHost : .addresses(addresses)
  }
}
