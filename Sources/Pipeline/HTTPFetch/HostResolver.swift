public import CrawlPolicy

/// Turns host names into addresses.
///
/// libcurl is given addresses only; no name reaches its own resolver. Every address passes the
/// address guard twice: when it is looked up, and again when a socket is opened to it.
public protocol HostResolver: Sendable {
  /// Looks a name up; may block for as long as it takes.
  ///
  /// Called on threads of the fetcher's own, several at a time, never twice at a time for one name.
  /// - Parameter name: In lower case and ASCII (IDNA's A-labels), never an address.
  /// - Returns: What is known of it; see there how long it is kept.
  func addresses(of name: String) -> HostAnswer
}

/// What a resolver says.
public enum HostAnswer: Sendable, Equatable {
  /// At least one, in the order in which they are to be tried; kept for 300 seconds.
  case addresses([IPAddress])
  /// The definite no: there is no such name, or it has no address. Kept for 60 seconds.
  case noSuchHost
  /// Nobody could say, and why. Kept for 5 seconds.
  case failed(String)
}

/// The names that RFCs take from the DNS; asking for them would leak, or be led astray.
enum SpecialName {
  static func answer(_ name: String) -> HostAnswer? {
    let name = name.hasSuffix(".") ? name.dropLast() : name[...]
    switch name.split(separator: ".", omittingEmptySubsequences: false).last {
    case "localhost": return .addresses([.v4(0x7F00_0001), .v6(1)])  // RFC 6761 §6.3
    case "invalid": return .noSuchHost  // RFC 6761 §6.4
    case "onion": return .noSuchHost  // RFC 7686 §2
    default: return nil
    }
  }
}
