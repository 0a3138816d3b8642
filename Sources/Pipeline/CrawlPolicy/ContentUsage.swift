/// What a statement of preference says of training (draft-ietf-aipref-vocab, draft-ietf-aipref-attach).
package enum ContentUsage {
  package enum Preference: Sendable { case allowed, disallowed, unknown }

  /// Labels of uses that a training set serves: today's `train-ai`, and earlier revisions' names
  /// for it and for its part that concerns generative models.
  private static let training: Set = ["train-ai", "train-genai", "ai", "genai"]
  /// Earlier revisions' labels for all automated use, which holds where none above is stated.
  private static let umbrella: Set = ["tdm", "bots", "all"]

  /// Reads a statement, a dictionary of RFC 9651 §3.2.
  ///
  /// `disallowed` when any label of training is `n`: it is unknown what will be trained. Else
  /// `allowed` when one is `y`, else what the umbrella labels say. Labels, values and parameters that
  /// are not known are passed over; a statement that does not parse says nothing.
  package static func training(_ bytes: [UInt8]) -> Preference {
    guard let members = StructuredDictionary.parse(bytes) else { return .unknown }
    for labels in [training, umbrella] {
      let values = members.filter { labels.contains($0.key) }.values
      if values.contains(.token("n")) { return .disallowed }
      if values.contains(.token("y")) { return .allowed }
    }
    return .unknown
  }

  /// Reads Cloudflare's older relative of the statement, `Content-Signal: search=yes, ai-train=no`.
  ///
  /// <https://contentsignals.org>: in robots.txt, and by its own words an express reservation of
  /// rights under Article 4 of Directive (EU) 2019/790. A no wins over a yes.
  package static func trainingSignal(_ bytes: [UInt8]) -> Preference {
    let signals = bytes.split(separator: UInt8(ascii: ",")).map { signal in
      signal.filter { !$0.isBlank }.map(\.lowercasedASCII)
    }
    if signals.contains(Array("ai-train=no".utf8)) { return .disallowed }
    return signals.contains(Array("ai-train=yes".utf8)) ? .allowed : .unknown
  }
}
