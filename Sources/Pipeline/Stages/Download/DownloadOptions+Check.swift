public import CrawlPolicy
import HTTPFetch
import PipelineCore

extension DownloadOptions {
  /// Tries all options out without asking for anything, so that a mistake is found before a run begins.
  ///
  /// - Returns: The list that ``hashBlocklist`` names.
  /// - Throws: `RecipeError` with the option's key and value; the machine's own errors as they are.
  public func check() throws -> HashBlocklist? {
    do {
      // A fetcher refuses whatever it could not work with; its files are the run's, made later.
      var alone = fetch
      (alone.sharedRates, alone.sharedHosts, alone.originCache) = (nil, nil, nil)
      try Fetcher(options: alone).shutDown()
    } catch let error as FetchOptionsError {
      throw RecipeError.badValue(
        key: "download." + Self.key(of: error.option), value: value(of: error.option),
        expected: Self.phrase(error.rule))
    } catch let error as AddressRangeError {
      throw RecipeError.badValue(
        key: "allow_addresses", value: error.text,
        expected: "a block of addresses, such as 127.0.0.0/8 or fc00::/7: \(error.reason)")
    } catch let error as CrawlPolicyError {
      throw refusal(error)
    }
    guard let path = hashBlocklist else { return nil }
    do {
      return try HashBlocklist(path: path)
    } catch {
      throw RecipeError.badValue(
        key: "hash_blocklist", value: path,
        expected: "a file of digests: \(Self.phrase("\(error)"))")
    }
  }

  /// The mistake in a host list or in the token, by the recipe's key.
  private func refusal(_ error: CrawlPolicyError) -> RecipeError {
    if case .agentToken(let token) = error.problem {
      return .badValue(
        key: "download.agent_token", value: token,
        expected: "a product token: letters, digits, - and _, such as pairloom")
    }
    let file = "@" + error.list
    if case .host(let host) = error.problem, error.line == nil {
      return .badValue(
        key: error.list == "denyHosts" ? "deny_hosts" : "allow_hosts", value: host,
        expected: "a host, such as example.org, .example.org (it and all below it) or 192.0.2.1")
    }
    return .badValue(
      key: fetch.policy.allowHosts.contains(file) ? "allow_hosts" : "deny_hosts", value: file,
      expected: "a file of hosts: \(Self.phrase("\(error)"))")
  }

  /// The recipe's name of a fetch option: `caFile` is `ca_file`.
  private static func key(of option: String) -> String {
    var key = ""
    for character in option {
      if character.isUppercase, key.last?.isUppercase != true { key += "_" }
      key.append(character)
    }
    return key.lowercased()
  }

  /// The value of a fetch option in words.
  private func value(of option: String) -> String {
    guard let value = Mirror(reflecting: fetch).children.first(where: { $0.label == option })?.value
    else { return "" }
    let inner = Mirror(reflecting: value)
    if inner.displayStyle == .optional {
      return inner.children.first.map { "\($0.value)" } ?? "null"
    }
    return "\(value)"
  }

  /// Without the full stop that the error puts behind it.
  private static func phrase(_ text: String) -> String {
    text.hasSuffix(".") ? String(text.dropLast()) : text
  }
}
