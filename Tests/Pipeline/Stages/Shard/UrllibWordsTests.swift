import ShardStage
import Testing

/// The right-hand sides are what Python 3.11.7's `urlopen` said of servers that fail so, and the
/// details what libcurl 7.88.1 did.
@Suite struct UrllibWordsTests {
  @Test("texts that are no URL are refused in urllib's words")
  func badURLs() {
    for (url, words) in [
      ("foo", "unknown url type: 'foo'"), ("", "unknown url type: ''"),
      ("it's", #"unknown url type: "it's""#),
      ("/a.jpg", "unknown url type: '/a.jpg'"), ("//a.test/x", "unknown url type: '//a.test/x'"),
      ("www.example.org/a.jpg", "unknown url type: 'www.example.org/a.jpg'"),
      ("foo://x/", "<urlopen error unknown url type: foo>"),
      ("mailto:a@b", "<urlopen error unknown url type: mailto>"),
      ("http://", "<urlopen error no host given>"), ("http:///a", "<urlopen error no host given>"),
      ("http:a.test", "<urlopen error no host given>"),
      ("http://127.0.0.1:x/", "nonnumeric port: 'x'"),
      ("http://a b/", "URL can't contain control characters. 'a b' (found at least ' ')"),
      (
        "http://127.0.0.1:1/\u{1}",
        #"URL can't contain control characters. '/\x01' (found at least '\x01')"#
      ),
    ] {
      #expect(UrllibWords.badURL(url) == words)
    }
    #expect(UrllibWords.badURL("http://a.test:99999/") == nil)
  }

  @Test("bodies that break off are told as http.client tells them")
  func incomplete() {
    for (detail, words) in [
      ("Recv failure: Connection reset by peer", "[Errno 104] Connection reset by peer"),
      ("Empty reply from server", "Remote end closed connection without response"),
      (
        "transfer closed with 900 bytes remaining to read",
        "IncompleteRead(100 bytes read, 900 more expected)"
      ),
      ("transfer closed with outstanding read data remaining", "IncompleteRead(0 bytes read)"),
    ] {
      #expect(UrllibWords.incomplete(detail: detail, received: 100) == words)
    }
  }

  @Test("failed handshakes are told as Python's ssl tells them")
  func tls() {
    func error(_ words: String) -> String { "<urlopen error [SSL: \(words) (_ssl.c:1006)>" }
    let unverified = "CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
    let mismatch = "SSL: certificate subject name 'x.test' does not match target host name 'h'"
    for (detail, host, words) in [
      (
        "SSL certificate problem: self-signed certificate", "127.0.0.1",
        error(unverified + "self-signed certificate")
      ),
      (
        mismatch, "127.0.0.1",
        error(unverified + "IP address mismatch, certificate is not valid for '127.0.0.1'.")
      ),
      (
        mismatch, "localhost",
        error(unverified + "Hostname mismatch, certificate is not valid for 'localhost'.")
      ),
      (
        "OpenSSL/3.0.22: error:0A00010B:SSL routines::wrong version number", "127.0.0.1",
        error("WRONG_VERSION_NUMBER] wrong version number")
      ),
      (
        "Recv failure: Connection reset by peer", "127.0.0.1",
        "<urlopen error [Errno 104] Connection reset by peer>"
      ),
      (
        "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to 127.0.0.1:46231", "127.0.0.1",
        error("UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol")
      ),
    ] {
      #expect(UrllibWords.tls(detail: detail, host: host) == words)
    }
  }

  @Test("redirects that lead nowhere are HTTP errors, as urllib has them")
  func redirects() {
    #expect(
      UrllibWords.redirect(detail: "more than 10 redirects", status: 302)
        == """
        HTTP Error 302: The HTTP server returned a redirect error that would lead to an infinite loop.
        The last 30x error message was:
        Found
        """)
    #expect(
      UrllibWords.redirect(detail: "to foo://x/", status: 302)
        == "HTTP Error 302: Found - Redirection to url 'foo://x/' is not allowed")
    #expect(
      UrllibWords.redirect(detail: "301 without Location", status: 301)
        == "HTTP Error 301: Moved Permanently")
  }
}
