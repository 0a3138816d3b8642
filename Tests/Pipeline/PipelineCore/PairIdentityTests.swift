import PipelineCore
import Testing

@Suite struct PairIdentityTests {
  @Test(
    "equal URLs have one spelling",
    arguments: [
      ("HTTP://Example.COM", "http://example.com/"), ("https://a.test:443/x", "https://a.test/x"),
      ("http://a.test:443/", "http://a.test:443/"), ("http://a.test?q=1#f", "http://a.test/?q=1"),
      ("http://a.test/%c3%A4/%zz%2", "http://a.test/%C3%A4/%zz%2"),
      ("http://User:P@A.test/", "http://User:P@a.test/"),
      ("http://[2001:DB8::1]:80/x", "http://[2001:db8::1]/x"),
      ("http://a.test/a/../b//", "http://a.test/a/../b//"), ("http://a.test:/x", "http://a.test/x"),
    ])
  func spelling(_ url: String, _ expected: String) {
    #expect(NormalizedURL.normalize(url) == expected)
    #expect(NormalizedURL.normalize(expected) == expected)
  }

  @Test(
    "what cannot be fetched has none",
    arguments: [
      "", "not a url at all", "//no-scheme.test/pic.png", "http://", "http:///x",
      "htp:/broken.example/x.jpg",
      "http://exa mple.test/pic.jpg", "http://[::bad]x/x.png", "ftp://127.0.0.1/pic.jpg",
      "javascript:alert(1)",
      "http://127.0.0.1:99999/x.jpg", "http://a.test:x/",
      "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
    ])
  func unusable(_ url: String) {
    #expect(NormalizedURL.normalize(url) == nil)
  }

  // printf 'http://a.test/\ncaption' | sha256sum | cut -c1-32
  @Test("the uid is the first half of SHA-256 over URL, line feed and caption")
  func uid() {
    #expect(
      PairIdentity.uid(normalizedURL: "http://a.test/", caption: "caption")
        == "1fa9aeb8622ca1c9891ae8029f7f69d3")
  }
}
