import CrawlPolicy
public import HTTPFetch
public import PipelineCore

/// The options of the fetcher, as a recipe names them.
///
/// | key | default | |
/// |---|---|---|
/// | `policy` | strict | `strict` obeys X-Robots-Tag, `off` does not |
/// | `allow_addresses` | none | private address blocks that may be fetched, as CIDR |
/// | `download.attempts` | 4 | tries per URL |
/// | `download.max_redirects` | 10 | |
/// | `download.connect_timeout`, `download.total_deadline` | 10, 30 | seconds per try |
/// | `download.max_bytes` | 32 MiB | per body, after content decoding |
/// | `download.user_agent`, `download.agent_token` | Pairloom's | who asks; name a way to reach you |
/// | `download.connections_per_host`, `download.concurrency` | 64, 256 | transfers at a time |
/// | `download.backoff_base`, `download.backoff_cap` | 0.5, 30 | seconds between tries |
/// | `download.retry_after_cap` | 60 | the longest `Retry-After` that is waited for, seconds |
public enum DownloadOptions {
  public static func read(from reader: inout RecipeReader) throws(RecipeError) -> FetchOptions {
    var options = FetchOptions()
    options.robots = try reader.choice("policy", among: [.strict, .off], default: options.robots)
    options.allowAddresses = try reader.list("allow_addresses")
    options.attempts = try reader.int("download.attempts", default: options.attempts, in: 1...1_000)
    options.maxRedirects = try reader.int(
      "download.max_redirects", default: options.maxRedirects, in: 0...100)
    options.connectTimeout = try reader.double(
      "download.connect_timeout", default: options.connectTimeout, in: 0.001...86_400)
    options.totalDeadline = try reader.double(
      "download.total_deadline", default: options.totalDeadline, in: 0.001...86_400)
    options.maxBytes = try reader.int(
      "download.max_bytes", default: options.maxBytes, in: 1...(1 << 40))
    let agent = try reader.string("download.user_agent", default: options.userAgent)
    options.userAgent = agent ?? options.userAgent
    let token = try reader.string("download.agent_token", default: options.robotsAgentToken)
    options.robotsAgentToken = token ?? options.robotsAgentToken
    options.connectionsPerHost = try reader.int(
      "download.connections_per_host", default: options.connectionsPerHost, in: 1...100_000,
      tuning: true)
    options.concurrency = try reader.int(
      "download.concurrency", default: options.concurrency, in: 1...100_000, tuning: true)
    options.backoffBase = try reader.double(
      "download.backoff_base", default: options.backoffBase, in: 0...86_400, tuning: true)
    options.backoffCap = try reader.double(
      "download.backoff_cap", default: options.backoffCap, in: 0...86_400, tuning: true)
    options.retryAfterCap = try reader.double(
      "download.retry_after_cap", default: options.retryAfterCap, in: 0...86_400, tuning: true)
    return options
  }
}
