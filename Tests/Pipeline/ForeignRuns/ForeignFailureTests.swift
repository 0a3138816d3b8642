import ForeignRuns
import PipelineCore
import Testing

/// What Python and img2dataset said of a failure, and our word for it.
@Suite struct ForeignFailureTests {
  /// As img2dataset 1.47 wrote them under Python 3.11 and 3.12.
  static let downloads: [(message: String, reason: DropReason, status: Int?)] = [
    ("HTTP Error 404: Not Found", .httpStatus, 404),
    ("HTTP Error 503: Service Unavailable", .httpStatus, 503),
    ("HTTP Error 429: ", .httpStatus, 429),
    (
      "HTTP Error 302: The HTTP server returned a redirect error that would lead to an infinite"
        + " loop.\nThe last 30x error message was:\nFound", .redirect, 302
    ),
    (
      "HTTP Error 301: Moved Permanently - Redirection to url 'ftp://x/' is not allowed", .redirect,
      301
    ),
    ("<urlopen error timed out>", .timeout, nil), ("timed out", .timeout, nil),
    ("The read operation timed out", .timeout, nil),
    ("<urlopen error _ssl.c:990: The handshake operation timed out>", .timeout, nil),
    ("<urlopen error [Errno 110] Connection timed out>", .timeout, nil),
    ("<urlopen error [Errno -2] Name or service not known>", .noSuchHost, nil),
    ("<urlopen error [Errno -5] No address associated with hostname>", .noSuchHost, nil),
    ("<urlopen error [Errno -3] Temporary failure in name resolution>", .dns, nil),
    ("<urlopen error [Errno 111] Connection refused>", .connect, nil),
    ("<urlopen error [Errno 113] No route to host>", .connect, nil),
    ("<urlopen error [Errno 101] Network is unreachable>", .connect, nil),
    ("[Errno 104] Connection reset by peer", .incomplete, nil),
    ("Remote end closed connection without response", .incomplete, nil),
    ("IncompleteRead(7949 bytes read, 7949 more expected)", .incomplete, nil),
    (
      "<urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has"
        + " expired (_ssl.c:1006)>", .tls, nil
    ),
    (
      "<urlopen error [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"
        + " (_ssl.c:1006)>", .tls, nil
    ),
    ("unknown url type: 'not a url at all'", .badURL, nil),
    ("<urlopen error no host given>", .badURL, nil),
    ("nonnumeric port: 'x'", .badURL, nil),
    (
      "'ascii' codec can't encode character '\\xe9' in position 9: ordinal not in range(128)",
      .badURL, nil
    ),
    ("URL can't contain control characters. '/a b' (found at least ' ')", .badURL, nil),
    ("Use of image disallowed by X-Robots-Tag directive", .robots, nil),
    ("hash mismatch", .hashMismatch, nil), ("BadStatusLine: nonsense", .protocolError, nil),
    ("", .protocolError, nil), ("robots_txt", .robotsTxt, nil),
  ]

  @Test("a failed download has our word and its status", arguments: downloads)
  func download(_ each: (message: String, reason: DropReason, status: Int?)) {
    let failure = ForeignFailure(each.message, isResize: false)
    #expect(failure.reason == each.reason)
    #expect(failure.status == each.status)
  }

  @Test(
    "a picture that was not kept has our word",
    arguments: [
      ("Image decoding error", DropReason.corrupt), ("image too small", .imageTooSmall),
      ("image area too large", .imageAreaTooLarge),
      ("aspect ratio too large", .aspectRatioTooLarge), ("blurrer not defined", .badBoxes),
      (
        "OpenCV(4.14.0) loadsave.cpp:1310: error: (-215:Assertion failed) !buf.empty() in function"
          + " 'imdecode_'\n", .empty
      ), ("timed out while resizing", .corrupt), ("too_many_pixels", .tooManyPixels),
      ("duplicate_bytes of row 17", .duplicateBytes),
    ])
  func resize(_ each: (message: String, reason: DropReason)) {
    let failure = ForeignFailure(each.message, isResize: true)
    #expect(failure.reason == each.reason)
    #expect(failure.survivor == (each.reason == .duplicateBytes ? 17 : nil))
  }
}
