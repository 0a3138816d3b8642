import CaptionMatching
import SeededRandom
import Testing

@Suite struct NormalizedCaptionTests {
  @Test(
    "what readers see as one caption is one",
    arguments: [
      ["a dog.", "A DOG", "  a\tdog\n", "“A dog”", "a dog...", "a dog…", "- a dog -", "A dog!?"],
      ["café", "cafe\u{301}", "CAFÉ", "CAFE\u{301}"],
      ["straße", "STRASSE", "Strasse", "STRAẞE"],
      ["ΟΔΥΣΣΕΥΣ", "οδυσσεύς".replacing("ύ", with: "υ"), "οδυσσευσ"],
      ["fish", "ﬁsh", "ＦＩＳＨ", "𝐟𝐢𝐬𝐡", "f\u{AD}ish", "\u{FEFF}fish", "fi\u{200B}sh"],
      ["ガーデン", "ｶﾞｰﾃﾞﾝ", "カ\u{3099}ーデン"],
      ["a dog", "a\u{0}dog", "a\u{A0}dog", "a\u{3000}dog", "a \u{200B} dog", "a\u{2028}dog"],
      ["❤", "❤\u{FE0F}"],
      ["犬", "「犬」", "犬。"],
      ["", " ", "\u{0}\n", "\u{200B}", "\u{FE0F}"],
    ])
  func equal(captions: [String]) {
    for caption in captions {
      #expect(NormalizedCaption.text(of: caption) == NormalizedCaption.text(of: captions[0]))
      #expect(NormalizedCaption.key(of: caption) == NormalizedCaption.key(of: captions[0]))
    }
  }

  @Test("what readers tell apart stays apart")
  func different() {
    let captions = [
      "", "a dog", "a dog 2", "adog", "a do g", "a dóg", "#dog", "dog", "@dog", "5", "50", "50%",
      "???",
      "!", "well-read", "well read", "❤", "🐶", "🐶🐶", "犬", "大", "ガ", "カ", "ا", "ب",
    ]
    #expect(Set(captions.map(NormalizedCaption.text)).count == captions.count)
    #expect(Set(captions.map(NormalizedCaption.key)).count == captions.count)
  }

  @Test("ASCII's short way is the long one's")
  func asciiAgrees() {
    for case_ in 0..<2000 {
      var random = RandomStream(seed: 1, path: UInt64(case_))
      let caption = String(
        decoding: (0..<random.integer(below: 12)).map { _ in UInt8(random.integer(below: 128)) },
        as: UTF8.self)
      #expect(
        NormalizedCaption.utf8(of: caption) == UnicodeFolding.utf8(of: caption),
        "\(caption.debugDescription)")
    }
  }

  @Test("what is normalised is so")
  func idempotent() {
    // Where many scalars have compatible forms, case, or marks, and everywhere.
    let blocks: [ClosedRange<UInt32>] = [
      0x20...0x24F, 0x300...0x3FF, 0x1E00...0x1FFF, 0x2000...0x24FF, 0x1100...0x11FF,
      0xFB00...0xFFEF, 0x20...0x2_FFFF,
    ]
    for case_ in 0..<4000 {
      var random = RandomStream(seed: 2, path: UInt64(case_))
      var caption = ""
      for _ in 0..<random.integer(below: 10) {
        let block = blocks[random.integer(below: blocks.count)]
        let value = block.lowerBound + UInt32(random.integer(below: block.count))
        if let scalar = Unicode.Scalar(value) { caption.unicodeScalars.append(scalar) }
      }
      let once = NormalizedCaption.text(of: caption)
      let bytes = Array(once.utf8)
      #expect(
        NormalizedCaption.utf8(of: once) == bytes,
        "\(caption.unicodeScalars.map { String($0.value, radix: 16) })")
    }
  }

  @Test("a megabyte of anything ends soon", .timeLimit(.minutes(2)))
  func hostile() {
    let million = 1 << 20
    var marks = "a"
    for index in 0..<million / 2 {
      marks.unicodeScalars.append(index % 2 == 0 ? "\u{301}" : "\u{323}")
    }
    // No more than 30 marks on a letter count, composed or not.
    #expect(NormalizedCaption.text(of: marks).unicodeScalars.count <= 31)
    for text in ["a", ".", "ﷺ", "🙂", "犬", "é ", "각", "\u{0}", "\u{200B}"] {
      let caption = String(repeating: text, count: million / text.utf8.count)
      let normalized = NormalizedCaption.utf8(of: caption)
      // U+FDFA is the scalar that grows most: three bytes to 33.
      #expect(normalized.count <= 11 * million)
      #expect(CaptionShingles.hashes(of: normalized).count <= 4 * CaptionShingles.mostWords)
    }
  }

  @Test("a long caption is normalised in pieces as if it were whole")
  func pieces() {
    let sentence = "Ein Hündchen läuft über die Straße, ﬁx und ＦＥＲＴＩＧ. "
    let single = NormalizedCaption.text(of: sentence) + "."
    let whole = NormalizedCaption.text(of: String(repeating: sentence, count: 500))
    #expect(whole == String(Array(repeating: single, count: 500).joined(separator: " ").dropLast()))
  }
}
