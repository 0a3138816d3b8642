/// Reads robots.txt (RFC 9309) and files of its form, and keeps the groups that bind one agent.
///
/// All groups that name the agent count as one; those for `*` only when none names it. A group is a
/// run of User-agent lines and the rules behind it; Allow, Disallow and Content-Usage are rules, and
/// other lines neither begin nor end a group (RFC 9309 §2.2.4).
package struct RobotsFile {
  private struct Binding {
    var isNamed = false
    var paths: [(verdict: PathRules.Verdict, record: RobotsLines.Record)] = []
    var usage: [RobotsLines.Record] = []
    var crawlDelay: Double?
  }

  /// The longest crawl-delay that is taken at its word, in seconds: a day.
  package static let longestDelay = 86_400.0

  /// Fills `rules` with the groups that bind `agentToken`, which is in lower case.
  ///
  /// With `unaddressedBind`, rules before any User-agent line are for everybody, as if `*` stood
  /// above them; RFC 9309 ignores them.
  package static func fill(
    _ rules: inout OriginRules, from bytes: [UInt8], agentToken: String,
    unaddressedBind: Bool = false
  ) {
    var ours = Binding()
    var everyone = Binding()
    var (isOurs, isEveryone) = (false, unaddressedBind)
    var mayAddAgents = false
    for record in RobotsLines(bytes, longest: rules.file.longest) {
      func add(_ change: (inout Binding) -> Void) {
        if isOurs { change(&ours) }
        if isEveryone { change(&everyone) }
      }
      switch record.name {
      case .userAgent:
        if !mayAddAgents { (isOurs, isEveryone) = (false, false) }
        mayAddAgents = true
        if names(record.value, agentToken) {
          isOurs = true
          ours.isNamed = true
        } else if isWildcard(record.value) {
          isEveryone = true
        }
      case .allow, .disallow:
        mayAddAgents = false
        guard !record.value.isEmpty else { continue }
        add { $0.paths.append((record.name == .allow ? .allow : .disallow, record)) }
      case .contentUsage:
        mayAddAgents = false
        add { $0.usage.append(record) }
      case .contentSignal:
        add { $0.usage.append(record) }
      case .crawlDelay:
        if let delay = seconds(record.value) {
          add { $0.crawlDelay = max($0.crawlDelay ?? 0, delay) }
        }
      }
    }
    let binding = ours.isNamed ? ours : everyone
    for (verdict, record) in binding.paths {
      rules.paths.append(verdict, pattern: record.value, line: record.line)
    }
    if rules.file == .robotsTxt {
      for record in binding.usage { addUsage(record, to: &rules.usage) }
    }
    rules.paths.finish()
    rules.usage.finish()
    rules.crawlDelay = binding.crawlDelay
  }

  /// draft-ietf-aipref-attach §3.2: an optional path that begins with `/`, then the preference.
  ///
  /// A line that says nothing of training, or cannot be read, is dropped; then a shorter path's line
  /// holds. The draft would call the preference unknown there; a stated no is not undone by silence.
  private static func addUsage(_ record: RobotsLines.Record, to rules: inout PathRules) {
    var path = Array("/".utf8)[...]
    var preference = record.value
    if preference.first == UInt8(ascii: "/") {
      path = preference.prefix { !$0.isBlank }
      preference = preference[path.endIndex...].trimmed
    }
    let training =
      record.name == .contentUsage
      ? ContentUsage.training(Array(preference)) : ContentUsage.trainingSignal(Array(preference))
    switch training {
    case .allowed: rules.append(.allow, pattern: path, line: record.line)
    case .disallowed: rules.append(.disallow, pattern: path, line: record.line)
    case .unknown: break
    }
  }

  /// Whether a User-agent value is our product token, in any case; a version or words may follow.
  private static func names(_ value: ArraySlice<UInt8>, _ token: String) -> Bool {
    let letters = value.prefix {
      $0.isASCIILetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
    }
    // Tokens with digits or dots are not RFC 9309's, but exist; such a name ends at a blank or "/".
    let word = value.prefix { !$0.isBlank && $0 != UInt8(ascii: "/") }
    return [letters, word].contains {
      $0.count == token.utf8.count
        && zip($0, token.utf8).allSatisfy { $0.lowercasedASCII == $1 }
    }
  }

  private static func isWildcard(_ value: ArraySlice<UInt8>) -> Bool {
    value.first == UInt8(ascii: "*")
      && (value.count == 1 || value.dropFirst().first?.isBlank == true)
  }

  /// A plain decimal number of seconds above 0, at most `longestDelay`.
  private static func seconds(_ value: ArraySlice<UInt8>) -> Double? {
    guard (1...32).contains(value.count), value.allSatisfy({ $0.isASCIIDigit || $0 == 0x2E }),
      let number = Double(String(decoding: value, as: UTF8.self)), number > 0
    else { return nil }
    return min(number, longestDelay)
  }
}
