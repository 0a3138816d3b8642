import Foundation
import PipelineCore
import SeededRandom
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

@Suite struct HostNameTests {
  @Test(
    "both spellings of an international URL are one, the one that is sent",
    arguments: [
      ("http://b\u{FC}cher.example/", "http://xn--bcher-kva.example/"),
      ("http://B\u{DC}CHER.Example:80", "http://xn--bcher-kva.example/"),
      (
        "http://u@\u{4F8B}\u{3048}.\u{30C6}\u{30B9}\u{30C8}:81/",
        "http://u@xn--r8jz45g.xn--zckzah:81/"
      ),
      (
        "https://\u{43F}\u{440}\u{438}\u{43C}\u{435}\u{440}\u{3002}\u{438}\u{441}\u{43F}\u{44B}\u{442}\u{430}\u{43D}\u{438}\u{435}/",
        "https://xn--e1afmkfd.xn--80akhbyknj4f/"
      ),
      ("http://a.test/\u{FC}?q=\u{1F3A8} x", "http://a.test/%C3%BC?q=%F0%9F%8E%A8%20x"),
    ])
  func spelling(_ url: String, _ expected: String) {
    #expect(NormalizedURL.normalize(url) == expected)
    #expect(NormalizedURL.normalize(expected) == expected)
  }

  @Test("labels are encoded as Python's punycode codec does")
  func punycode() throws {
    var random = RandomStream(seed: 5)
    let alphabets: [ClosedRange<UInt32>] = [
      0x61...0x7A, 0xE0...0xF6, 0x430...0x44F, 0x4E00...0x9FA5,
    ]
    let labels = (0..<300).map { _ in
      String(
        String.UnicodeScalarView(
          (0...random.integer(below: 14)).map { index in
            // The first is not ASCII, so that the label is encoded at all.
            let range = alphabets[index == 0 ? 2 : random.integer(below: 4)]
            let value = range.lowerBound + UInt32(random.integer(below: range.count))
            return Unicode.Scalar(value) ?? "a"
          }))
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      [
        "python3", "-c",
        "import sys\nfor x in sys.argv[1:]: print('xn--' + x.encode('punycode').decode())",
      ] + labels
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let expected = text.split(separator: "\n").map { "http://\($0).test/" }
    #expect(expected.count == labels.count)
    #expect(labels.map { NormalizedURL.normalize("http://\($0).test/") } == expected)
  }

  @Test("an IPv4-compatible literal, which the fetcher refuses, is no URL here either")
  func deprecatedLiterals() {
    #expect(NormalizedURL.normalize("http://[::bad]/x.png") == nil)
    #expect(NormalizedURL.normalize("http://[::1.2.3.4]/") == nil)
    #expect(NormalizedURL.normalize("http://[::1]/") == "http://[::1]/")
    #expect(NormalizedURL.normalize("http://[2001:DB8::1]/") == "http://[2001:db8::1]/")
  }
}
