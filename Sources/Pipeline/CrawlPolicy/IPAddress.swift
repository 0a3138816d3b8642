import Glibc

/// An IPv4 or IPv6 address, without port and zone.
public enum IPAddress: Hashable, Sendable, CustomStringConvertible {
  /// 4 bytes in network order, the first in the top bits.
  case v4(UInt32)
  /// 16 bytes in network order, the first in the top bits.
  case v6(UInt128)

  /// Reads the usual notations: `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`; nil for all else.
  public init?(_ text: String) {
    var four = in_addr()
    var six = in6_addr()
    // Safe: inet_pton writes 4 or 16 bytes, which these structures hold.
    if unsafe inet_pton(AF_INET, text, &four) == 1 {
      self = .v4(UInt32(bigEndian: four.s_addr))
    } else if unsafe inet_pton(AF_INET6, text, &six) == 1 {
      self.init(networkBytes: unsafe withUnsafeBytes(of: &six) { unsafe Array($0) })
    } else {
      return nil
    }
  }

  /// 4 or 16 bytes in network order; nil for another count.
  public init?(networkBytes bytes: [UInt8]) {
    switch bytes.count {
    case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
    case 16: self = .v6(bytes.reduce(0) { $0 << 8 | UInt128($1) })
    default: return nil
    }
  }

  /// The address inside a `sockaddr_in` or `sockaddr_in6`, given as its bytes in memory.
  ///
  /// - Returns: nil for another family and for too few bytes. Layout: `<netinet/in.h>` of Linux.
  public init?(socketAddress bytes: [UInt8]) {
    guard bytes.count >= 2 else { return nil }
    // sa_family is in the machine's order; every platform that Pairloom runs on is little-endian.
    let family = Int32(bytes[0]) | Int32(bytes[1]) << 8
    switch family {
    case AF_INET where bytes.count >= 8: self.init(networkBytes: Array(bytes[4..<8]))
    case AF_INET6 where bytes.count >= 24: self.init(networkBytes: Array(bytes[8..<24]))
    default: return nil
    }
  }

  /// The IPv4 address that a translator, a tunnel or the socket layer would reach for this address.
  ///
  /// Mapped `::ffff:0:0/96` and compatible `::/96` (RFC 4291 §2.5.5), NAT64 `64:ff9b::/96`
  /// (RFC 6052), 6to4 `2002::/16` (RFC 3056). nil for IPv4, for `::`, `::1` and all other IPv6.
  public var embeddedV4: IPAddress? {
    guard case .v6(let bits) = self else { return nil }
    if bits >> 112 == 0x2002 { return .v4(UInt32(truncatingIfNeeded: bits >> 80)) }
    let prefix = bits >> 32
    let isMapped = prefix == 0xFFFF
    let isNAT64 = prefix == 0x64_FF9B << 64
    guard isMapped || isV4Compatible || isNAT64 else { return nil }
    return .v4(UInt32(truncatingIfNeeded: bits))
  }

  /// Whether this is in `::/96`, the unspecified and the loopback address aside (RFC 4291 §2.5.5.1).
  public var isV4Compatible: Bool {
    guard case .v6(let bits) = self else { return false }
    return bits >> 32 == 0 && bits > 1
  }

  /// The usual notation; IPv6 as in RFC 5952.
  public var description: String {
    let (family, bytes): (Int32, [UInt8]) =
      switch self {
      case .v4(let bits): (AF_INET, bits.networkBytes)
      case .v6(let bits): (AF_INET6, bits.networkBytes)
      }
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) {
      // Safe: the buffer holds the longest address and its NUL, so that inet_ntop cannot fail.
      let text = unsafe inet_ntop(family, bytes, $0.baseAddress, socklen_t($0.count))
      return unsafe text.map { unsafe String(cString: $0) } ?? ""
    }
  }
}

extension FixedWidthInteger {
  fileprivate var networkBytes: [UInt8] {
    stride(from: Self.bitWidth - 8, through: 0, by: -8).map {
      UInt8(truncatingIfNeeded: self >> $0)
    }
  }
}
