/// A block of addresses in CIDR notation, `10.0.0.0/8` or `fc00::/7`; a bare address is a block of one.
public struct AddressRange: Hashable, Sendable {
  private let base: IPAddress
  private let prefixLength: Int

  /// Reads CIDR notation; bits behind the prefix are ignored.
  public init(_ text: String) throws(AddressRangeError) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = IPAddress(String(parts[0])) else {
      throw AddressRangeError(text: text, reason: "\"\(parts[0])\" is no IP address")
    }
    let width = if case .v4 = address { 32 } else { 128 }
    var length = width
    if parts.count == 2 {
      guard let given = Int(parts[1]), (0...width).contains(given) else {
        throw AddressRangeError(text: text, reason: "the prefix length must be 0 to \(width)")
      }
      length = given
    }
    self.base = address
    self.prefixLength = length
  }

  public func contains(_ address: IPAddress) -> Bool {
    switch (base, address) {
    // A shift by the full width gives 0 on both sides, so /0 holds every address of its family.
    case (.v4(let a), .v4(let b)): (a ^ b) >> (32 - prefixLength) == 0
    case (.v6(let a), .v6(let b)): (a ^ b) >> (128 - prefixLength) == 0
    default: false
    }
  }
}

/// Why a text is no block of addresses.
public struct AddressRangeError: Error, Equatable, CustomStringConvertible {
  public var text: String
  public var reason: String

  public var description: String {
    "address range \"\(text)\": \(reason). Write it as 127.0.0.0/8, fc00::/7 or 192.0.2.1."
  }
}
