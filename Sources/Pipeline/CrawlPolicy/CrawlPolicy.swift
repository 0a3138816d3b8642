/// What may be taken from the web: by our user's lists, and by what sites say to machines.
///
/// Pure: it fetches nothing. Ask it about the host first, then about the path with the rules of the
/// origin's files, then about the answer's headers; at every hop of a redirect. A refusal is final,
/// and comes with the line that it rests on.
///
/// | binds                                        | strict | tdm-eu | img2dataset | off |
/// |----------------------------------------------|:------:|:------:|:-----------:|:---:|
/// | allowed and denied hosts                     | yes    | yes    | yes         | yes |
/// | X-Robots-Tag noai, noimageai, to any agent   | yes    | yes    | its reading | no  |
/// | X-Robots-Tag noindex, noimageindex, none,    | yes    | no     | its reading | no  |
/// | …addressed to nobody or to us                |        |        |             |     |
/// | robots.txt, RFC 9309, with crawl-delay       | yes    | yes    | no          | no  |
/// | tdm-reservation header, tdmrep.json          | yes    | yes    | no          | no  |
/// | Content-Usage header and in robots.txt,      | yes    | yes    | no          | no  |
/// | …and there Content-Signal ai-train=no        |        |        |             |     |
/// | Spawning's ai.txt                            | yes    | yes    | no          | no  |
///
/// - `strict` obeys all that is said to crawlers of pictures.
/// - `tdm-eu` obeys the machine-readable reservations of rights that Art. 4(3) of Directive (EU)
///   2019/790 and measure 1.3 of the General-Purpose AI Code of Practice speak of. Rules about
///   search indexes are none.
/// - `img2dataset` reads X-Robots-Tag as img2dataset 1.47.0 does, with its `disallowedDirectives`,
///   and asks an origin for nothing. It misses opt-outs; it is there for comparison.
/// - `off` obeys only our user's own lists.
public struct CrawlPolicy: Sendable {
  public enum Profile: String, Codable, Sendable, CaseIterable {
    case strict
    case tdmEU = "tdm-eu"
    case img2dataset
    case off
  }

  public struct Options: Sendable, Codable, Equatable {
    public var profile = Profile.strict
    /// The name by which a site may address this crawler (RFC 9309 §2.2.1).
    public var agentToken = "pairloom"
    /// When not empty, the only hosts that are asked.
    ///
    /// Entries as `HostList` has them: names, `.example.org`, `@PATH` of a file.
    public var allowHosts: [String] = []
    /// Hosts that are never asked, even when allowed.
    public var denyHosts: [String] = []
    /// What X-Robots-Tag must not say; for the profile `img2dataset` only.
    public var disallowedDirectives = ["noai", "noimageai", "noindex", "noimageindex"]

    public init() {}
  }

  public let options: Options
  private let agentToken: String
  private let allowed: HostList
  private let denied: HostList
  private let robotsHeader: RobotsHeaderPolicy
  private let img2dataset: Img2datasetHeaders

  /// Reads the lists, and the files that their entries `@PATH` name.
  ///
  /// - Throws: `CrawlPolicyError` for the first entry that is no host, a file that cannot be read, or
  ///   an agent token that could not stand in a User-agent line.
  public init(_ options: Options) throws(CrawlPolicyError) {
    let isToken = options.agentToken.utf8.allSatisfy {
      $0.isASCIILetter || $0.isASCIIDigit || "-_.".utf8.contains($0)
    }
    guard isToken, (1...100).contains(options.agentToken.utf8.count) else {
      throw CrawlPolicyError(.agentToken(options.agentToken), list: "agentToken")
    }
    self.options = options
    agentToken = options.agentToken.lowercased()
    allowed = try HostList(options.allowHosts, name: "allowHosts")
    denied = try HostList(options.denyHosts, name: "denyHosts")
    let profile: RobotsHeaderPolicy.Profile =
      switch options.profile {
      case .strict: .strict
      case .tdmEU: .training
      case .img2dataset, .off: .off
      }
    robotsHeader = RobotsHeaderPolicy(profile: profile, agentToken: agentToken)
    img2dataset = Img2datasetHeaders(
      agentToken: options.agentToken, directives: options.disallowedDirectives)
  }

  private var obeysReservations: Bool {
    options.profile == .strict || options.profile == .tdmEU
  }

  /// The refusal by our user's own lists.
  ///
  /// The host comes without port; case, a trailing dot, Unicode or Punycode do not matter.
  public func refusal(host: String) -> PolicyEvidence? {
    if let entry = denied.entry(for: host) {
      return PolicyEvidence(rule: .hostList, source: "denyHosts", text: entry)
    }
    if allowed.count > 0, allowed.entry(for: host) == nil {
      let text = PolicyEvidence.cut("\(host) is not among the allowed hosts")
      return PolicyEvidence(rule: .hostList, source: "allowHosts", text: text)
    }
    return nil
  }

  /// The files to ask each origin for, once a day (RFC 9309 §2.4).
  public var originFiles: [OriginFile] { obeysReservations ? OriginFile.allCases : [] }

  /// What an origin's file says to us; `source` is its final URL, for the evidence.
  public func rules(for file: OriginFile, answer: OriginAnswer, source: String) -> OriginRules {
    let source = PolicyEvidence.cut(source)
    func rules(_ answer: OriginRules.Answer) -> OriginRules {
      OriginRules(file: file, source: source, agentToken: agentToken, answer: answer)
    }
    guard obeysReservations else { return rules(.allowAll) }
    switch answer {
    case .unavailable: return rules(.allowAll)
    case .unreachable: return rules(file == .robotsTxt ? .disallowAll : .allowAll)
    case .body(let bytes):
      var stated = rules(.stated)
      switch file {
      case .robotsTxt: RobotsFile.fill(&stated, from: bytes, agentToken: agentToken)
      case .tdmReservation: TDMReservation.fill(&stated, from: bytes)
      case .aiTxt:
        RobotsFile.fill(&stated, from: bytes, agentToken: agentToken, unaddressedBind: true)
      }
      return stated
    }
  }

  /// Whether rules from a cache were read with this policy's agent token; if not, ask anew.
  public func accepts(_ rules: OriginRules) -> Bool { rules.agentToken == agentToken }

  /// The refusal of a path by its origin's files.
  ///
  /// The path comes with its query, as they are sent. Cost: a binary search, and O(path) for each
  /// rule with a wildcard.
  public func refusal(path: String, rules: [OriginRules]) -> PolicyEvidence? {
    guard obeysReservations, !rules.isEmpty else { return nil }
    let path = PercentEncoding.path(path)
    for rules in rules {
      if let evidence = rules.refusal(path: path) { return evidence }
    }
    return nil
  }

  /// Seconds between requests that the origin asks for, at most a day; nil when it does not.
  public func crawlDelay(_ rules: [OriginRules]) -> Double? {
    obeysReservations ? rules.compactMap(\.crawlDelay).max() : nil
  }

  /// The refusal by the headers of the final answer, which came from the URL `source`.
  ///
  /// A name and a value for each line, in order; names in any case.
  public func refusal(
    headers: [(name: String, value: String)], source: String
  ) -> PolicyEvidence? {
    func values(_ name: String) -> [String] {
      headers.filter { $0.name.lowercased() == name }.map(\.value)
    }
    func evidence(_ rule: PolicyEvidence.Rule, _ name: String, _ value: String) -> PolicyEvidence {
      PolicyEvidence(
        rule: rule, source: PolicyEvidence.cut(source),
        text: PolicyEvidence.cut("\(name): \(value)"))
    }
    let tags = values("x-robots-tag")
    let refusing =
      options.profile == .img2dataset
      ? img2dataset.refusingLine(tags) : robotsHeader.refusingLine(tags)?.line
    if let refusing { return evidence(.xRobotsTag, "x-robots-tag", refusing) }
    guard obeysReservations else { return nil }
    if let reserved = values("tdm-reservation").first(where: TDMReservation.reserves) {
      let policies = values("tdm-policy").map { "; tdm-policy: \($0)" }.joined()
      return evidence(.tdmHeader, "tdm-reservation", reserved + policies)
    }
    // Lines of one structured field count as one, joined by commas (RFC 9651 §4.2).
    let usage = values("content-usage").joined(separator: ", ")
    if !usage.isEmpty, ContentUsage.training(Array(usage.utf8)) == .disallowed {
      return evidence(.contentUsageHeader, "content-usage", usage)
    }
    return nil
  }
}
