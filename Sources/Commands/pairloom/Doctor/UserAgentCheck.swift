import HTTPFetch

/// Whether the sites that are asked can tell whom to write to.
package enum UserAgentCheck {
  package static func finding(userAgent: String) -> Finding {
    if let warning = warning(userAgent: userAgent) {
      return Finding("user agent", .warn, warning.problem, remedy: warning.remedy)
    }
    return Finding("user agent", .ok, userAgent)
  }

  /// What is missing from a user agent; nil when it names a contact of the user's own.
  package static func warning(userAgent: String) -> (problem: String, remedy: String)? {
    let remedy =
      "--set 'download.user_agent=NAME/1.0 (+https://YOUR.SITE/crawler; you@YOUR.SITE)'"
    if userAgent == FetchOptions.defaultUserAgent {
      return ("no contact is set: sites that are asked cannot tell whom to write to", remedy)
    }
    return hasContact(userAgent)
      ? nil : ("`\(userAgent)` names neither a page nor a mail address", remedy)
  }

  /// A URL, or something like a mail address.
  private static func hasContact(_ text: String) -> Bool {
    if text.contains("https://") || text.contains("http://") { return true }
    return text.split { " ;,()<>+".contains($0) }.contains { word in
      let parts = word.split(separator: "@", omittingEmptySubsequences: false)
      return parts.count == 2 && !parts[0].isEmpty && parts[1].contains(".")
        && !parts[1].hasPrefix(".") && !parts[1].hasSuffix(".")
    }
  }
}
