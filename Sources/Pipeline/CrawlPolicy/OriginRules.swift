/// What one file of an origin says to us: the rules that bind us, and nothing else.
///
/// `Codable`, for a cache on disk. Reading rules of another `formatVersion` throws, so that an older
/// cache counts as empty; ask `CrawlPolicy.accepts` before using rules that an earlier run kept.
public struct OriginRules: Sendable, Codable, Equatable {
  /// Raised when the meaning or the form of what is kept changes.
  public static let formatVersion = 1

  package enum Answer: String, Codable { case stated, allowAll, disallowAll }

  public let file: OriginFile
  /// The final URL of the file.
  public let source: String
  /// By which product token the groups were chosen, in lower case.
  public let agentToken: String
  /// Why the file could not be read as what it should be; nothing in it then binds.
  public internal(set) var problem: String?
  package internal(set) var answer: Answer
  /// Allow and Disallow; for tdmrep.json not reserved and reserved.
  package internal(set) var paths: PathRules
  /// What Content-Usage lines say of training.
  package internal(set) var usage: PathRules
  /// Seconds between requests.
  package internal(set) var crawlDelay: Double?

  init(file: OriginFile, source: String, agentToken: String, answer: Answer) {
    self.file = file
    self.source = source
    self.agentToken = agentToken
    self.answer = answer
    paths = PathRules(ties: file == .tdmReservation ? .disallow : .allow)
    usage = PathRules(ties: .disallow)
  }

  /// How many rules are kept.
  public var ruleCount: Int { paths.count + usage.count }

  private enum Key: String, CodingKey {
    case version = "v"
    case file = "f"
    case source = "s"
    case agentToken = "a"
    case answer = "k"
    case problem = "e"
    case paths = "p"
    case usage = "u"
    case crawlDelay = "d"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let version = try container.decode(Int.self, forKey: .version)
    guard version == Self.formatVersion else {
      throw DecodingError.dataCorruptedError(
        forKey: .version, in: container,
        debugDescription: "origin rules of format \(version), not \(Self.formatVersion)")
    }
    self.init(
      file: try container.decode(OriginFile.self, forKey: .file),
      source: try container.decode(String.self, forKey: .source),
      agentToken: try container.decode(String.self, forKey: .agentToken),
      answer: try container.decode(Answer.self, forKey: .answer))
    problem = try container.decodeIfPresent(String.self, forKey: .problem)
    paths = try container.decodeIfPresent(PathRules.self, forKey: .paths) ?? paths
    usage = try container.decodeIfPresent(PathRules.self, forKey: .usage) ?? usage
    crawlDelay = try container.decodeIfPresent(Double.self, forKey: .crawlDelay)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(Self.formatVersion, forKey: .version)
    try container.encode(file, forKey: .file)
    try container.encode(source, forKey: .source)
    try container.encode(agentToken, forKey: .agentToken)
    try container.encode(answer, forKey: .answer)
    try container.encodeIfPresent(problem, forKey: .problem)
    if !paths.isEmpty { try container.encode(paths, forKey: .paths) }
    if !usage.isEmpty { try container.encode(usage, forKey: .usage) }
    try container.encodeIfPresent(crawlDelay, forKey: .crawlDelay)
  }
}

extension OriginRules {
  /// The refusal that follows for a path, as `PercentEncoding.path` spells it.
  package func refusal(path: [UInt8]) -> PolicyEvidence? {
    switch answer {
    case .allowAll: return nil
    case .disallowAll:
      // RFC 9309 §2.2.2: robots.txt itself may always be asked for.
      guard path != Array(OriginFile.robotsTxt.path.utf8) else { return nil }
      return evidence(
        .robotsTxt, "\(file.path) is unreachable: complete disallow (RFC 9309 §2.3.1.4)")
    case .stated: break
    }
    switch file {
    case .robotsTxt:
      guard path != Array(file.path.utf8) else { return nil }
      return refusal(paths, paths.longest(path), .robotsTxt)
        ?? refusal(usage, usage.longest(path), .contentUsageRobots)
    case .tdmReservation:
      // The report says that "the most specific match is the first in sequence", and points to
      // Google's rules, where it is the longest: a reservation by either reading is one.
      return refusal(paths, paths.first(path), .tdmFile)
        ?? refusal(paths, paths.longest(path), .tdmFile)
    case .aiTxt:
      return refusal(paths, paths.longest(path, fileTypes: true), .aiTxt)
    }
  }

  private func refusal(
    _ rules: PathRules, _ index: Int?, _ rule: PolicyEvidence.Rule
  ) -> PolicyEvidence? {
    guard let index, rules.verdict(index) == .disallow else { return nil }
    return evidence(rule, rules.line(index))
  }

  private func evidence(_ rule: PolicyEvidence.Rule, _ text: String) -> PolicyEvidence {
    PolicyEvidence(rule: rule, source: source, text: PolicyEvidence.cut(text))
  }
}
