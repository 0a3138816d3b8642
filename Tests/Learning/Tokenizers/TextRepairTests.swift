import Testing
import Tokenizers

/// What the repairs promise, seen through the ids; `OpenCLIPParityTests` holds them against ftfy itself.
@Suite("Repair of captions")
struct TextRepairTests {
  private static let texts = [
    "Café à la crème", "“Größe” – naïve…", "Žluťoučký kůň", "Ёжик в тумане",
  ]

  @Test("text whose UTF-8 was read as Latin-1 is read again, once and twice over", arguments: texts)
  func misread(_ text: String) throws {
    let tokenizer = try BytePairTokenizer.clip()
    let once = readAsLatin1(text)
    #expect(tokenizer.encode(once) == tokenizer.encode(text))
    #expect(tokenizer.encode(readAsLatin1(once)) == tokenizer.encode(text))
  }

  @Test(
    "damage that is common is mended",
    arguments: [
      // Windows-1252, a space for byte A0, a lost byte, part of a text, and Java's two halves of one.
      ("itâ€™s a voilÃ moment", "it's a voilà moment"), ("â€œhiâ€\u{FFFD}", "\"hi\u{FFFD}"),
      ("日本 CafÃ©", "日本 Café"), ("\u{ED}\u{A0}\u{BD}\u{ED}\u{B8}\u{80}", "😀"),
      ("\u{93}quoted\u{94}", "\"quoted\""),
    ])
  func mended(_ damaged: String, _ meant: String) throws {
    let tokenizer = try BytePairTokenizer.clip()
    #expect(
      tokenizer.decode(tokenizer.encode(damaged)) == tokenizer.decode(tokenizer.encode(meant)))
  }

  @Test(
    "accents that are meant stay",
    arguments: [
      "ångström", "são paulo", "łódź", "crème brûlée à la carte", "größe œuvre", "ñandú ½",
    ])
  func meant(_ text: String) throws {
    let tokenizer = try BytePairTokenizer.clip()
    #expect(tokenizer.decode(tokenizer.encode(text)) == text)
  }

  @Test(
    "marks are put in the order of Python's unicodedata, many and those that come apart too",
    arguments: [
      ("a\u{F73}\u{F73}", "a\u{F71}\u{F71}\u{F72}\u{F72}"),
      ("a\u{301}\u{F81}\u{316}", "\u{E1}\u{F71}\u{F80}\u{316}"),
      (
        "a" + String(repeating: "\u{301}\u{316}", count: 50),
        "\u{E1}" + String(repeating: "\u{316}", count: 50) + String(repeating: "\u{301}", count: 49)
      ),
    ])
  func marks(_ text: String, _ ordered: String) throws {
    // Strings of one normal form are equal, and so are what they are read as.
    let tokenizer = try BytePairTokenizer(
      mergesText: BytePairTokenizer.clip().mergesText, contextLength: 500)
    let decoded = tokenizer.decode(tokenizer.encode(text)).unicodeScalars.filter { $0 != " " }
    #expect(Array(decoded) == Array(ordered.unicodeScalars))
  }

  @Test("ampersands escaped thousands of times over are opened to the last level")
  func nests() throws {
    let tokenizer = try BytePairTokenizer.clip()
    for levels in [1, 2, 3, 64, 65, 3000] {
      let nest = "&" + String(repeating: "amp;", count: levels)
      #expect(tokenizer.encode(nest + "eacute;t\u{E9}") == tokenizer.encode("été"), "\(levels)")
      // Nests of different depths in one text.
      #expect(
        tokenizer.encode(nest + "lt; &amp;amp;gt; " + nest + "amp;amp;quot;")
          == tokenizer.encode("< > \""), "\(levels)")
    }
  }

  @Test(
    "texts made to be slow are encoded in bounded time", .timeLimit(.minutes(1)),
    arguments: [
      "Ã©", "Ã", "Ãƒâ€š", "\u{ED}\u{A0}\u{BD}", "\u{C0}", "Σ\u{301}", "a\u{323}\u{301}", "&#38;",
      "#38;", "amp;#38;", "日Ã©", "â€", "à¤", "\u{1B}[", "<", "&amp;Ã\u{A0}",
    ])
  func hostile(_ unit: String) throws {
    let tokenizer = try BytePairTokenizer.clip()
    let text = "é&" + String(repeating: unit, count: 200_000 / unit.utf8.count) + "é\u{10FFFF}"
    #expect(tokenizer.encode(text).count <= 77)
  }

  private func readAsLatin1(_ text: String) -> String {
    String(String.UnicodeScalarView(text.utf8.map { Unicode.Scalar($0) }))
  }
}
