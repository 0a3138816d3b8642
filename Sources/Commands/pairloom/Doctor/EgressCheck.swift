import HTTPFetch

/// Whether pages of the web can be fetched from here, over http and over https.
package enum EgressCheck {
  package struct Facts: Sendable, Equatable {
    package var visits: [WebVisit]
    /// Names of the environment's variables that name a proxy.
    package var proxyVariables: [String]

    package init(visits: [WebVisit], proxyVariables: [String] = []) {
      self.visits = visits
      self.proxyVariables = proxyVariables
    }
  }

  static let proxyNames = [
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
  ]

  package static func finding(_ facts: Facts) -> Finding {
    // A failed TLS handshake went out and came back: it is the TLS check's matter.
    let failed = facts.visits.filter { !$0.hasAnswer && $0.failure != .tls }
    let values = [
      "pages": Double(facts.visits.count), "pages_failed": Double(failed.count),
      "slowest_seconds": facts.visits.map(\.seconds).max() ?? 0,
    ]
    if let worst = failed.first {
      let dead = ["http", "https"].filter { scheme in
        let mine = facts.visits.filter { $0.isHTTPS == (scheme == "https") }
        return !mine.isEmpty && mine.allSatisfy { !$0.hasAnswer && $0.failure != .tls }
      }
      return Finding(
        "egress", dead.isEmpty ? .warn : .fail,
        "\(failed.count) of \(facts.visits.count) pages cannot be fetched"
          + (dead.isEmpty ? "" : ", none over \(dead.joined(separator: " or "))")
          + ": \(worst.url): \(words(worst))", remedy: remedy(worst, facts), values: values)
    }
    let measured = facts.visits.map { visit in
      let answer = visit.status.map { String($0) } ?? words(visit)
      return "\(visit.url) \(answer) in \(Amount.seconds(visit.seconds))"
    }.joined(separator: ", ")
    guard facts.proxyVariables.isEmpty else {
      return Finding(
        "egress", .warn,
        "\(measured), without the proxy of \(facts.proxyVariables.joined(separator: ", "))",
        remedy: "a proxy of the environment is not used: unset the variables, or name it with"
          + " --set download.proxy=URL", values: values)
    }
    return Finding("egress", .ok, measured, values: values)
  }

  private static func words(_ visit: WebVisit) -> String {
    let failure = visit.failure?.rawValue ?? "no answer"
    return visit.detail.isEmpty ? failure : "\(failure) (\(visit.detail))"
  }

  private static func remedy(_ visit: WebVisit, _ facts: Facts) -> String {
    if !facts.proxyVariables.isEmpty {
      return "\(facts.proxyVariables[0]) names a proxy: this network may need it; say --set"
        + " download.proxy=URL"
    }
    return switch visit.failure {
    case .dns, .noSuchHost: "names are not looked up: mend dns first"
    case .addressRefused:
      "the address is private: allow its block with --set allow_addresses=CIDR"
    case .hostDenied: "the recipe's list of hosts leaves it out: see allow_hosts and deny_hosts"
    case .badURL: "give a full http or https URL"
    default:
      "connect the machine, and let TCP to ports 80 and 443 out (ip route, firewall, security group)"
    }
  }
}
