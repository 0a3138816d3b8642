/// Reads X-Robots-Tag exactly as img2dataset 1.47 does, its misreading included.
///
/// Each line is split once at its first colon, whatever that belongs to: what is before it is taken
/// for an agent's name, so that `max-snippet:0, noai` refuses nothing. An agent's name has to equal
/// ours without any blanks around it. Source: `is_disallowed` in its downloader.py.
struct Img2datasetHeaders: Sendable {
  private let agentToken: String
  private let directives: Set<String>

  init(agentToken: String, directives: [String]) {
    self.agentToken = Self.stripped(agentToken)
    self.directives = Set(directives.map(Self.stripped))
  }

  /// The line that refuses, as it was sent.
  func refusingLine(_ lines: [String]) -> String? {
    guard !directives.isEmpty else { return nil }
    return lines.first { line in
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 1 || parts[0].lowercased() == agentToken else { return false }
      return parts[parts.count - 1].split(separator: ",", omittingEmptySubsequences: false)
        .contains { directives.contains(Self.stripped($0)) }
    }
  }

  /// Python's `strip().lower()`.
  private static func stripped(_ text: some StringProtocol) -> String {
    var slice = Substring(text)
    while slice.first?.isWhitespace == true { slice.removeFirst() }
    while slice.last?.isWhitespace == true { slice.removeLast() }
    return slice.lowercased()
  }
}
