import HTTPFetch
import Testing

@Suite struct FetchURLTests {
  @Test(
    "what is no http URL with a host is refused",
    arguments: [
      "", " ", "htp:/broken.example/x.jpg", "http://", "//no-scheme.test/pic.png",
      "not a url at all", "http://exa mple.test/pic.jpg", "http://[::bad]/x.png",
      "ftp://127.0.0.1/pic.jpg", "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
      "http://127.0.0.1:99999/x.jpg", "http://a.test:0/", "javascript:alert(1)",
      "file:///etc/hostname",
      "http:///x.jpg", "http://a.test:port/x", "http://a.test/a\nb", "http://a.test/a\tb",
      "http://1.2.3.4.5/", "http://256.1.1.1/", "http://1.2.3.4x.9/", "http://a%00b.test/",
      "http://a*b.test/", "http://a,b.test/", "http://a%2Cb.test/", "http://a%3A80.test/",
      "http://./", "http://a.test/\u{7F}", "/relative/x.jpg", "https:", "HTTP//a.test",
      "a.test/x.jpg",
      "http://a.test/" + String(repeating: "x", count: 17_000),
    ])
  func refused(text: String) { #expect(FetchURL(text) == nil) }

  @Test(
    "what can be asked for is normalised",
    arguments: [
      ("http://a.test", "http://a.test/"),
      ("  https://a.test/x.jpg ", "https://a.test/x.jpg"),
      ("HTTP://A.test/X.jpg#top", "http://A.test/X.jpg"),
      ("http://a.test/a b/ü.jpg?q=a b&r=ü", "http://a.test/a%20b/%c3%bc.jpg?q=a%20b&r=%c3%bc"),
      ("http://a.test/%20%C3%BC?a=%26+b", "http://a.test/%20%C3%BC?a=%26+b"),
      ("http://a.test:8080/x", "http://a.test:8080/x"),
      ("http://[::1]:81/x", "http://[::1]:81/x"),
      ("http://BÜCHER.test/ü", "http://xn--bcher-kva.test/%c3%bc"),
      ("http://0x7f.1/", "http://127.0.0.1/"), ("http://2130706433/", "http://127.0.0.1/"),
      ("http://a_b.test./", "http://a_b.test./"),
    ])
  func normalised(text: String, expected: String) { #expect(FetchURL(text)?.text == expected) }

  @Test("hosts are told apart by scheme, name and port, whatever the spelling")
  func hosts() {
    let one = FetchURL("http://A.test/x")?.host
    #expect(one == FetchURL("http://a.test:80/y")?.host)
    #expect(FetchURL("https://a.test/")?.host == FetchURL("https://a.test:443/")?.host)
    let others = ["https://a.test/", "http://a.test:81/", "http://b.test/", "http://www.a.test/"]
    for other in others { #expect(FetchURL(other)?.host != one, "\(other)") }
  }

  @Test(
    "a redirect's target is resolved against the URL that answered (RFC 3986 §5.4)",
    arguments: [
      ("g.jpg", "http://a.test/b/g.jpg"), ("/g", "http://a.test/g"), ("?y", "http://a.test/b/c?y"),
      ("../g", "http://a.test/g"), ("//b.test/g", "http://b.test/g"),
      ("https://b.test/g#x", "https://b.test/g"), ("a b.jpg", "http://a.test/b/a%20b.jpg"),
      ("file:///etc/hostname", nil), ("ftp://a.test/", nil), ("javascript:alert(1)", nil),
      ("http://", nil),
    ] as [(String, String?)])
  func relative(reference: String, expected: String?) throws {
    let base = try #require(FetchURL("http://a.test/b/c?q"))
    #expect(FetchURL(reference, relativeTo: base)?.text == expected)
  }
}
