import CrawlPolicy
public import HTTPFetch
public import PipelineCore

/// What download goes by, as a recipe names it; `Pipelines/urls.yaml` has every key and its default.
public struct DownloadOptions: Sendable, Equatable {
  public enum HashCheck: String, Sendable, Codable, CaseIterable { case off, verify }

  /// The bounds and manners of the fetcher.
  public var fetch: FetchOptions
  /// Whether a body must have the hash that the list expects.
  public var hash: HashCheck
  /// A file of SHA-256 or MD5 digests whose bodies are dropped; nil for none.
  public var hashBlocklist: String?

  public init(
    fetch: FetchOptions = FetchOptions(), hash: HashCheck = .off, hashBlocklist: String? = nil
  ) {
    self.fetch = fetch
    self.hash = hash
    self.hashBlocklist = hashBlocklist
  }

  /// Reads `policy` and what belongs to it, `allow_addresses`, `hash`, `hash_blocklist` and `download.*`.
  ///
  /// - Parameters:
  ///   - reader: The recipe.
  ///   - hasHashes: Whether the list has a column of hashes, which are then verified by default.
  /// - Throws: `RecipeError` for the first value that makes no sense.
  public init(from reader: inout RecipeReader, hasHashes: Bool) throws(RecipeError) {
    fetch = FetchOptions()
    try Self.readPolicy(&fetch, &reader)
    hash = try reader.choice("hash", default: hasHashes ? .verify : .off)
    if hash == .verify && !hasHashes {
      throw .missing(key: "hash_column", hint: "hash: verify needs it; name the list's column.")
    }
    hashBlocklist = try reader.string("hash_blocklist")
    try Self.readBounds(&fetch, &reader)
    try Self.readManners(&fetch, &reader)
    try Self.readRoute(&fetch, &reader)
  }

  private static func readPolicy(
    _ fetch: inout FetchOptions, _ reader: inout RecipeReader
  ) throws(RecipeError) {
    fetch.policy.profile = try reader.choice("policy", default: fetch.policy.profile)
    fetch.policy.allowHosts = try reader.list("allow_hosts")
    fetch.policy.denyHosts = try reader.list("deny_hosts")
    let directives = try reader.list("disallowed_header_directives")
    if !directives.isEmpty {
      guard fetch.policy.profile == .img2dataset else {
        throw .badValue(
          key: "disallowed_header_directives", value: directives.joined(separator: ", "),
          expected: "for policy `\(fetch.policy.profile.rawValue)`, which knows its own directives;"
            + " say policy: img2dataset with it, or policy: off instead of an empty list")
      }
      fetch.policy.disallowedDirectives = directives
    }
    fetch.allowAddresses = try reader.list("allow_addresses")
  }

  private static func readBounds(
    _ fetch: inout FetchOptions, _ reader: inout RecipeReader
  ) throws(RecipeError) {
    func seconds(_ key: String, _ value: Double) throws(RecipeError) -> Double {
      try reader.double("download." + key, default: value, in: 0.001...86_400)
    }
    fetch.attempts = try reader.int("download.attempts", default: fetch.attempts, in: 1...1_000)
    fetch.timeoutAttempts = try reader.int(
      "download.timeout_attempts", default: fetch.timeoutAttempts, in: 1...1_000)
    fetch.maxRedirects = try reader.int(
      "download.max_redirects", default: fetch.maxRedirects, in: 0...100)
    fetch.connectTimeout = try seconds("connect_timeout", fetch.connectTimeout)
    fetch.firstByteDeadline = try seconds("first_byte_deadline", fetch.firstByteDeadline)
    fetch.totalDeadline = try seconds("total_deadline", fetch.totalDeadline)
    fetch.lowSpeedBytesPerSecond = try reader.int(
      "download.low_speed_bytes_per_second", default: fetch.lowSpeedBytesPerSecond,
      in: 0...(1 << 30))
    fetch.lowSpeedSeconds = try reader.int(
      "download.low_speed_seconds", default: fetch.lowSpeedSeconds, in: 0...86_400)
    fetch.maxBytes = try reader.int(
      "download.max_bytes", default: fetch.maxBytes, in: 1...(1 << 40))
  }

  private static func readManners(
    _ fetch: inout FetchOptions, _ reader: inout RecipeReader
  ) throws(RecipeError) {
    func count(_ key: String, _ value: Int) throws(RecipeError) -> Int {
      try reader.int("download." + key, default: value, in: 1...100_000, tuning: true)
    }
    func seconds(_ key: String, _ value: Double) throws(RecipeError) -> Double {
      try reader.double("download." + key, default: value, in: 0...86_400, tuning: true)
    }
    let agent = try reader.string("download.user_agent", default: fetch.userAgent)
    fetch.userAgent = agent ?? fetch.userAgent
    let token = try reader.string("download.agent_token", default: fetch.policy.agentToken)
    fetch.policy.agentToken = token ?? fetch.policy.agentToken
    fetch.requestsPerSecondPerHost = try reader.optionalDouble(
      "download.requests_per_second_per_host", in: 0.0001...100_000, tuning: true)
    fetch.crawlDelayCap = try seconds("crawl_delay_cap", fetch.crawlDelayCap)
    fetch.connectionsPerHost = try count("connections_per_host", fetch.connectionsPerHost)
    fetch.concurrency = try count("concurrency", fetch.concurrency)
    fetch.minConcurrency = min(
      fetch.concurrency, try count("min_concurrency", fetch.minConcurrency))
    fetch.bodyBudget = try reader.int(
      "download.body_budget", default: fetch.bodyBudget, in: 0...(1 << 40), tuning: true)
    // Rows of a host that the breaker or its own wish keeps us from are dropped: not only pace.
    fetch.breakerFailures = try reader.int(
      "download.breaker_failures", default: fetch.breakerFailures, in: 1...100_000)
    fetch.breakerPause = try reader.double(
      "download.breaker_pause", default: fetch.breakerPause, in: 0.001...3_600)
    fetch.backoffBase = try seconds("backoff_base", fetch.backoffBase)
    fetch.backoffCap = try seconds("backoff_cap", fetch.backoffCap)
    fetch.retryAfterCap = try reader.double(
      "download.retry_after_cap", default: fetch.retryAfterCap, in: 0...86_400)
  }

  private static func readRoute(
    _ fetch: inout FetchOptions, _ reader: inout RecipeReader
  ) throws(RecipeError) {
    fetch.headers = try reader.list("download.headers")
    // The way to the web, which may break and be replaced during a run, asks for the same.
    fetch.proxy = try reader.string("download.proxy", tuning: true)
    fetch.sourceAddress = try reader.string("download.source_address", tuning: true)
    fetch.caFile = try reader.string("download.ca_file")
    fetch.verifyTLS = try reader.bool("download.verify_tls", default: fetch.verifyTLS)
  }
}
