/// Reads `X-Robots-Tag` response headers for what forbids taking a picture into a training set.
///
/// The header has the form `[agent:] directive, directive …` and may come several times; the
/// directives `unavailable_after`, `max-snippet`, `max-image-preview` and `max-video-preview` have a
/// value after a colon of their own, and a date may hold commas and colons. Proxies join lines with
/// commas, so an agent may also be named in the middle of a line. img2dataset splits at the first
/// colon, takes `max-snippet:0, noai` for an agent's name, and misses that opt-out; this does not.
public struct RobotsHeaderPolicy: Sendable {
  public enum Profile: String, Codable, Sendable, CaseIterable {
    /// `noai` and `noimageai` bind whichever agent they name; `noindex`, `noimageindex` and `none`
    /// bind when addressed to nobody or to us.
    case strict
    /// `noai` and `noimageai` alone bind, whichever agent they name.
    case training
    /// Nothing is refused.
    case off
  }

  public let profile: Profile
  private let agentToken: String

  /// - Parameters:
  ///   - profile: What counts as a refusal.
  ///   - agentToken: The name by which a site may address this crawler, such as `pairloom`.
  public init(profile: Profile, agentToken: String) {
    self.profile = profile
    self.agentToken = agentToken.lowercased()
  }

  /// Finds the directive that refuses.
  ///
  /// - Parameter xRobotsTagLines: The values of the final response's X-Robots-Tag lines, in order.
  /// - Returns: The directive in lower case, such as "noai", or nil when none refuses.
  public func refusal(_ xRobotsTagLines: [String]) -> String? {
    refusingLine(xRobotsTagLines)?.directive
  }

  /// Finds the directive that refuses, in lower case, and the line that it stands in, as sent.
  public func refusingLine(_ xRobotsTagLines: [String]) -> (directive: String, line: String)? {
    guard profile != .off else { return nil }
    for line in xRobotsTagLines {
      if let directive = refusal(inLine: line) { return (directive, line) }
    }
    return nil
  }

  private static let againstTraining: Set = ["noai", "noimageai"]
  private static let againstIndexing: Set = ["noindex", "noimageindex", "none"]
  private static let otherDirectives: Set = [
    "all", "index", "follow", "nofollow", "noarchive", "nocache", "nosnippet", "notranslate",
    "nositelinkssearchbox", "noydir", "noodp", "indexifembedded",
  ]
  private static let valued: Set = [
    "unavailable_after", "max-snippet", "max-image-preview", "max-video-preview",
  ]

  private func refusal(inLine line: String) -> String? {
    var agent: String?
    var dateMayGoOn = false
    for field in line.lowercased().split(separator: ",") {
      var rest = field.trimmed
      // "unavailable_after: Sat, 25 Jun 2010 15:00:00 PST" goes on behind its comma with a digit.
      if dateMayGoOn, rest.first?.isNumber == true {
        dateMayGoOn = false
        continue
      }
      dateMayGoOn = false
      while let colon = rest.firstIndex(of: ":") {
        let name = rest[..<colon].trimmed
        if Self.valued.contains(String(name)) {
          dateMayGoOn = name == "unavailable_after"
          let value = rest[rest.index(after: colon)...].trimmed
          rest = dateMayGoOn ? "" : value.drop { !$0.isWhitespace && $0 != ";" }
        } else if isDirective(name) {
          rest = name  // "noai:" or "noai: true"; a directive's name is never an agent's
        } else {
          agent = String(name)
          rest = rest[rest.index(after: colon)...].trimmed
        }
      }
      // Blanks and semicolons between directives are wrong, and clear enough to be obeyed.
      for word in rest.split(whereSeparator: { $0.isWhitespace || $0 == ";" }) {
        if refuses(word, agent: agent) { return String(word) }
      }
    }
    return nil
  }

  private func refuses(_ word: Substring, agent: String?) -> Bool {
    if Self.againstTraining.contains(String(word)) { return true }
    guard profile == .strict else { return false }
    let isAddressed = agent.map { $0 == "*" || $0 == agentToken } ?? true
    return isAddressed && Self.againstIndexing.contains(String(word))
  }

  private func isDirective(_ name: Substring) -> Bool {
    let name = String(name)
    return Self.againstTraining.contains(name) || Self.againstIndexing.contains(name)
      || Self.otherDirectives.contains(name)
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var slice = self
    while slice.first?.isWhitespace == true { slice.removeFirst() }
    while slice.last?.isWhitespace == true { slice.removeLast() }
    return slice
  }
}
