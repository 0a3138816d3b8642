package import PipelineCore

/// What img2dataset's words for a failure are in ours.
///
/// img2dataset writes down what Python said (downloader.py: `str(err)`), or a few words of its own
/// (resizer.py). The message stays as the drop's detail. Words that nobody knows are a `protocol`
/// error of a download, and a `corrupt` picture else.
package struct ForeignFailure: Equatable {
  package var reason: DropReason
  /// The HTTP status, where the message has one.
  package var status: Int?
  /// The row that is kept in its stead, where the message is our own layout's.
  package var survivor: Int?

  /// - Parameters:
  ///   - message: `error_message`.
  ///   - isResize: Whether the status is `failed_to_resize`.
  package init(_ message: String, isResize: Bool) {
    reason = isResize ? .corrupt : .protocolError
    if let known = Self.words[message] ?? DropReason(rawValue: message) {
      reason = known
    } else if let match = message.wholeMatch(of: /([a-z_]+) of (?:row ([0-9]+)|.+)/),
      let word = DropReason(rawValue: String(match.1))
    {
      reason = word
      survivor = match.2.flatMap { Int($0) }
    } else if isResize {
      // OpenCV's assertion about a body of no bytes.
      if message.contains("!buf.empty()") { reason = .empty }
    } else if let match = message.prefixMatch(of: /HTTP Error ([0-9]{3})\b/) {
      status = Int(match.1)
      // urllib follows redirects: one that it reports leads nowhere.
      reason = (300..<400).contains(status ?? 0) ? .redirect : .httpStatus
    } else if let known = Self.parts.first(where: { part in
      part.words.contains { message.contains($0) }
    }) {
      reason = known.reason
    }
  }

  /// Messages that are img2dataset's own.
  private static let words: [String: DropReason] = [
    "Use of image disallowed by X-Robots-Tag directive": .robots,
    "hash mismatch": .hashMismatch,
    "image too small": .imageTooSmall,
    "image area too large": .imageAreaTooLarge,
    "aspect ratio too large": .aspectRatioTooLarge,
    "Image decoding error": .corrupt,
    "blurrer not defined": .badBoxes,
  ]

  /// Parts of messages of urllib, http.client, ssl and the system (errno.h, netdb.h), the first counts.
  private static let parts: [(reason: DropReason, words: [String])] = [
    (.timeout, ["timed out", "[Errno 110]"]),
    (.dns, ["Temporary failure in name resolution", "[Errno -3]", "[Errno -4]"]),
    (
      .noSuchHost,
      [
        "Name or service not known", "No address associated with hostname", "[Errno -2]",
        "[Errno -5]", "nodename nor servname", "getaddrinfo failed",
      ]
    ),
    (.tls, ["SSL", "_ssl.c", "CERTIFICATE", "certificate"]),
    (
      .incomplete,
      [
        "IncompleteRead", "reset by peer", "[Errno 104]", "Remote end closed", "Broken pipe",
        "[Errno 32]",
      ]
    ),
    (
      .connect,
      [
        "Connection refused", "[Errno 111]", "No route to host", "[Errno 113]",
        "Network is unreachable", "[Errno 101]", "Host is down", "[Errno 112]",
        "Cannot assign requested address", "[Errno 99]",
      ]
    ),
    (
      .badURL,
      [
        "unknown url type", "no host given", "nonnumeric port", "control characters",
        "codec can't encode", "codec failed", "Invalid IPv6 URL", "netloc", "label empty",
        "label too long", "NoneType", "expected string",
      ]
    ),
  ]
}
