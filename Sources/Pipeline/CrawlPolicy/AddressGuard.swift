/// Decides which addresses a crawler may connect to, whatever name led there.
///
/// URL lists come from strangers, and a host name may resolve to anything: without this a list could
/// make a crawler call the cloud's metadata service, a printer or a database inside the firewall.
/// Ask it about the address that is about to be connected to, at every redirect.
public struct AddressGuard: Sendable {
  private let exceptions: [AddressRange]

  /// - Parameter cidrs: Blocks that are allowed although they are refused by default.
  /// - Throws: `AddressRangeError` for the first text that is no block.
  public init(allowing cidrs: [String] = []) throws(AddressRangeError) {
    var exceptions: [AddressRange] = []
    for cidr in cidrs { exceptions.append(try AddressRange(cidr)) }
    self.exceptions = exceptions
  }

  public func allows(_ address: IPAddress) -> Bool {
    if exceptions.contains(where: { $0.contains(address) }) { return true }
    if let inner = address.embeddedV4 { return allows(inner) }
    return !Self.refused.contains { $0.contains(address) }
  }

  /// What IANA's special-purpose registries (RFC 6890) call not globally reachable, and multicast.
  package static let refusedByDefault = [
    "0.0.0.0/8",  // this network; Linux connects 0.0.0.0 to itself
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  // private, RFC 1918
    "100.64.0.0/10",  // carrier-grade NAT, RFC 6598
    "127.0.0.0/8",  // loopback
    "169.254.0.0/16",  // link-local; 169.254.169.254 is the clouds' metadata service
    "192.0.0.0/24",  // protocol assignments; 192.0.0.192 is another metadata service
    "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  // documentation, RFC 5737
    "192.88.99.0/24",  // 6to4 relays, RFC 7526
    "198.18.0.0/15",  // benchmarks, RFC 2544
    "224.0.0.0/4",  // multicast
    "240.0.0.0/4",  // reserved, and broadcast
    "::/128", "::1/128",  // unspecified and loopback
    "64:ff9b:1::/48",  // local NAT64, RFC 8215: what it reaches is the operator's choice
    "100::/64",  // discard, RFC 6666
    "2001::/32",  // Teredo: its inner address is scrambled by the client
    "2001:db8::/32", "3fff::/20",  // documentation
    "fc00::/7",  // unique local, RFC 4193; fd00:ec2::254 is a metadata service
    "fe80::/10", "fec0::/10",  // link-local and the old site-local
    "ff00::/8",  // multicast
  ]

  private static let refused: [AddressRange] = refusedByDefault.map { text in
    do {
      return try AddressRange(text)
    } catch {
      preconditionFailure("AddressGuard's own table: \(error)")
    }
  }
}
