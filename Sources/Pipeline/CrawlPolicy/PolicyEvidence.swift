/// What a refusal by policy rests on: enough to show later why a picture was not taken.
public struct PolicyEvidence: Sendable, Codable, Hashable {
  /// By which means a site says no.
  public enum Rule: String, Sendable, Codable, CaseIterable {
    /// The X-Robots-Tag response header.
    case xRobotsTag = "x_robots_tag"
    /// robots.txt, RFC 9309.
    case robotsTxt = "robots_txt"
    /// The tdm-reservation response header, TDMRep §4.
    case tdmHeader = "tdm_header"
    /// /.well-known/tdmrep.json, TDMRep §5.
    case tdmFile = "tdm_file"
    /// The Content-Usage response header, draft-ietf-aipref-attach.
    case contentUsageHeader = "content_usage_header"
    /// A Content-Usage line in robots.txt, draft-ietf-aipref-attach, or a Content-Signal line.
    case contentUsageRobots = "content_usage_robots"
    /// Spawning's ai.txt.
    case aiTxt = "ai_txt"
    /// Our user's own list of hosts.
    case hostList = "host_list"
  }

  public var rule: Rule
  /// Where it was said: the URL of the file, or of the answer whose header it is.
  public var source: String
  /// The deciding line or directive as it was sent, at most 500 bytes.
  public var text: String

  public init(rule: Rule, source: String, text: String) {
    self.rule = rule
    self.source = source
    self.text = text
  }
}

extension PolicyEvidence {
  /// The most bytes that `text` has.
  package static let longest = 500

  /// The first 500 bytes of a text, cut between characters of UTF-8.
  package static func cut(_ text: String) -> String {
    guard text.utf8.count > longest else { return text }
    var end = text.utf8.index(text.utf8.startIndex, offsetBy: longest)
    // A byte 10xxxxxx goes on with a character that began before.
    while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
    return String(text[..<end])
  }
}
