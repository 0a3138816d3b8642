public import CrawlPolicy
import Glibc

/// The bounds and manners of a `Fetcher`.
///
/// Times are seconds, sizes bytes.
public struct FetchOptions: Sendable, Codable, Equatable {
  /// Name lookup, TCP and TLS together.
  public var connectTimeout = 10.0
  /// From the request sent to the answer's first byte, in each exchange.
  public var firstByteDeadline = 10.0
  /// Bounds each attempt, all its redirects together; waiting for a free slot does not count.
  public var totalDeadline = 30.0
  /// Transfers below this many bytes per second for `lowSpeedSeconds` are given up as timeouts.
  public var lowSpeedBytesPerSecond = 64
  /// Whole seconds.
  public var lowSpeedSeconds = 15
  /// Bytes of bodies in memory, over all transfers and all results that are still held.
  ///
  /// What is more goes to a temporary file; see `BodyStore`.
  public var bodyBudget = 256 << 20
  /// Counted after content decoding.
  public var maxBytes = 32 << 20
  public var maxRedirects = 10
  /// Tries per URL, the first included.
  public var attempts = 4
  /// Tries per URL that may end in a timeout.
  public var timeoutAttempts = 2
  /// Transfers at a time per scheme, host and port, over all processes that share `sharedHosts`.
  public var connectionsPerHost = 64
  /// Transfers at a time in all: the most, and the least that adaptation goes down to.
  ///
  /// Between them the number climbs while that brings more answers per second
  /// (`ConcurrencyControl`). Transfers that have been silent for two seconds do not count, but for
  /// the most.
  public var concurrency = 1024
  public var minConcurrency = 16
  /// Before try n + 1 a random time up to `backoffBase` · 2ⁿ⁻¹ passes, at most `backoffCap`.
  public var backoffBase = 0.5
  public var backoffCap = 30.0
  /// `Retry-After` pauses its host for as long as it asks, at most this long.
  public var retryAfterCap = 60.0
  /// Starts of requests per second to a host, redirects, retries and robots.txt included.
  ///
  /// nil for no such limit.
  public var requestsPerSecondPerHost: Double?
  /// A robots.txt's crawl-delay is kept between two requests, at most this long.
  public var crawlDelayCap = 30.0
  /// A host that fails to answer this often in a row, over all processes that share `sharedHosts`, is
  /// left alone for `breakerPause`.
  public var breakerFailures = 10
  /// The first time; twice as long each time that a probe fails, up to an hour.
  public var breakerPause = 60.0
  /// A file by which all processes of a run on this machine keep one rate per host.
  ///
  /// Made when it is not there; nil for rates of this fetcher's own.
  public var sharedRates: String?
  /// A file by which all processes of a run on this machine share places at each host, and know
  /// which hosts are dead: `connectionsPerHost` and `breakerFailures` then hold over all of them.
  ///
  /// Made when it is not there; nil for bounds of this fetcher's own.
  public var sharedHosts: String?
  public var userAgent = FetchOptions.defaultUserAgent
  /// Further header lines, "Name: value", sent to every site: nothing secret belongs here.
  public var headers: [String] = []
  /// `http://`, `https://` or `socks5h://` with host and port; nil for none, whatever the environment
  /// says.
  ///
  /// The proxy's own address needs no exception; it is the proxy that has to keep names from private
  /// networks, as this side sees no addresses.
  public var proxy: String?
  /// An address of this machine, or an interface such as `eth0`, from which connections are made.
  public var sourceAddress: String?
  /// Certification authorities in PEM instead of the system's.
  public var caFile: String?
  /// False takes any certificate: for tests and one's own servers.
  public var verifyTLS = true
  /// Address blocks that may be connected to although they are private or special.
  public var allowAddresses: [String] = []
  /// What sites may say to this crawler, and the user's own lists of hosts.
  public var policy = CrawlPolicy.Options()
  /// A file in which all processes of a machine keep what origins' robots.txt and the like say.
  ///
  /// With it an origin is asked once a day by all of them, restarts included. Made when it is not
  /// there; nil for a memory of this fetcher's own.
  public var originCache: String?

  public static let defaultUserAgent =
    "Pairloom/0.1 (+https://github.com/pairloom/pairloom; dataset builder)"

  public init() {}

  /// Throws the first option that makes no sense.
  public func validate() throws(FetchOptionsError) {
    func require(_ holds: Bool, _ option: String, _ rule: String) throws(FetchOptionsError) {
      guard holds else { throw FetchOptionsError(option: option, rule: rule) }
    }
    // An upper bound for times keeps milliseconds within libcurl's long and epoll's int.
    let times = 0.001...86_400
    try require(times.contains(connectTimeout), "connectTimeout", "0.001 to 86400 seconds")
    try require(times.contains(totalDeadline), "totalDeadline", "0.001 to 86400 seconds")
    try require(times.contains(firstByteDeadline), "firstByteDeadline", "0.001 to 86400 seconds")
    try require(lowSpeedBytesPerSecond >= 0, "lowSpeedBytesPerSecond", "0 or more")
    try require((0...86_400).contains(lowSpeedSeconds), "lowSpeedSeconds", "0 to 86400")
    try require(bodyBudget >= 0, "bodyBudget", "0 or more")
    try require(maxBytes > 0, "maxBytes", "1 or more")
    try require((0...100).contains(maxRedirects), "maxRedirects", "0 to 100")
    try require((1...1000).contains(attempts), "attempts", "1 to 1000")
    try require(timeoutAttempts > 0, "timeoutAttempts", "1 or more")
    try require(minConcurrency > 0, "minConcurrency", "1 or more")
    try require(connectionsPerHost > 0, "connectionsPerHost", "1 or more")
    try require((1...100_000).contains(concurrency), "concurrency", "1 to 100000")
    try require((0...86_400).contains(backoffBase), "backoffBase", "0 to 86400 seconds")
    try require((0...86_400).contains(backoffCap), "backoffCap", "0 to 86400 seconds")
    try require((0...86_400).contains(retryAfterCap), "retryAfterCap", "0 to 86400 seconds")
    try require(
      requestsPerSecondPerHost.map { (0.0001...100_000).contains($0) } ?? true,
      "requestsPerSecondPerHost", "0.0001 to 100000, or absent")
    try require((0...86_400).contains(crawlDelayCap), "crawlDelayCap", "0 to 86400 seconds")
    try require((1...1_000_000).contains(breakerFailures), "breakerFailures", "1 to 1000000")
    try require((0.001...3600).contains(breakerPause), "breakerPause", "0.001 to 3600 seconds")
    func isOneLine(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
    try require(
      isOneLine(userAgent) && !userAgent.isEmpty, "userAgent", "one line of text that names you")
    for line in headers {
      try require(
        isOneLine(line) && Self.isHeader(line), "headers",
        "\"Name: value\" each, without Host, Connection, Content-Length, Transfer-Encoding")
    }
    if let caFile {
      try require(unsafe access(caFile, R_OK) == 0, "caFile", "a file that can be read")
    }
  }
}

extension FetchOptions {
  /// Whether this is a header field (RFC 9110 §5.1) that does not change how a message is framed.
  private static func isHeader(_ line: String) -> Bool {
    let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { return false }
    let isToken = parts[0].utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
      }
    }
    let framing = ["host", "connection", "content-length", "transfer-encoding"]
    return isToken && !framing.contains(parts[0].lowercased())
      && parts[1].contains { $0 != " " }
  }
}

/// An option out of its range.
public struct FetchOptionsError: Error, Equatable, CustomStringConvertible {
  public var option: String
  public var rule: String

  public var description: String { "fetch option \(option) must be \(rule)." }
}
