import Foundation
import Testing
import Tokenizers

/// One line of `clip_tokens.jsonl`: what open_clip gives for a text.
private struct Reference: Decodable {
  var text: String
  var ids: [Int32]
  var small: [Int32]
}

private func fixture(_ name: String) throws -> String {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  return try String(contentsOf: folder.appendingPathComponent("Fixtures/" + name), encoding: .utf8)
}

private func references() throws -> [Reference] {
  try fixture("clip_tokens.jsonl").utf8.split(separator: UInt8(ascii: "\n")).map {
    try JSONDecoder().decode(Reference.self, from: Data($0))
  }
}

@Suite("BytePairTokenizer")
struct BytePairTokenizerTests {
  @Test("CLIP's tokenizer has 49,408 ids, the last two for start and end")
  func vocabulary() throws {
    let tokenizer = try BytePairTokenizer.clip()
    #expect(tokenizer.vocabularySize == 49_408)
    #expect(tokenizer.startToken == 49_406)
    #expect(tokenizer.endToken == 49_407)
  }

  @Test("ids equal open_clip's for hard texts in many scripts")
  func parity() throws {
    let tokenizer = try BytePairTokenizer.clip()
    let references = try references()
    #expect(references.count > 300)
    for reference in references {
      #expect(tokenizer.encode(reference.text) == reference.ids, "\(reference.text)")
    }
  }

  @Test("ids equal open_clip's for a table of 300 merges")
  func smallTable() throws {
    let tokenizer = try BytePairTokenizer(mergesText: fixture("small.merges"))
    #expect(tokenizer.vocabularySize == 512 + 300 + 2)
    for reference in try references() {
      #expect(tokenizer.encode(reference.text) == reference.small, "\(reference.text)")
    }
  }

  @Test("the cache of pieces changes no id, from many threads at once")
  func cache() async throws {
    let tokenizer = try BytePairTokenizer.clip()
    let references = try references()
    await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          references.filter { tokenizer.encode($0.text) != $0.ids }.count
        }
      }
      for await wrong in group { #expect(wrong == 0) }
    }
  }

  @Test("a long text is cut to the context length and still ends with the end token")
  func cut() throws {
    let tokenizer = try BytePairTokenizer(
      mergesText: BytePairTokenizer.clip().mergesText, contextLength: 5)
    let whole = try BytePairTokenizer.clip().encode("one two three four five six")
    #expect(tokenizer.encode("one two three four five six") == whole.prefix(4) + [49_407])
    #expect(tokenizer.encode("one two three") == whole.prefix(4) + [49_407])
    #expect(tokenizer.encode("one") == [49_406, whole[1], 49_407])
  }

  @Test("special strings in a caption become special ids, unless they are escaped")
  func specials() throws {
    var tokenizer = try BytePairTokenizer.clip()
    let text = "a <end_of_text> b"
    #expect(tokenizer.encode(text).filter { $0 == tokenizer.endToken }.count == 2)
    tokenizer.escapesSpecialTokens = true
    #expect(tokenizer.encode(text).filter { $0 == tokenizer.endToken }.count == 1)
    #expect(tokenizer.decode(tokenizer.encode(text)) == "a < end _ of _ text > b")
  }

  @Test("ids decode to the cleaned text")
  func decoding() throws {
    let tokenizer = try BytePairTokenizer.clip()
    #expect(tokenizer.decode(tokenizer.encode("  Héllo,\n WORLD 😀 ")) == "héllo , world 😀")
  }

  @Test(
    "a megabyte without spaces, and deep entities, are encoded in bounded time",
    .timeLimit(.minutes(1)))
  func hostile() throws {
    let tokenizer = try BytePairTokenizer.clip()
    let letters = String(repeating: "qxjzkvbp", count: 1 << 17)
    #expect(tokenizer.encode(letters).count == 77)
    let deep = "&" + String(repeating: "amp;", count: 1 << 16)
    // All levels are opened, as by ftfy: a lone ampersand is left.
    #expect(tokenizer.encode(deep) == tokenizer.encode("&"))
  }
}

@Suite("Pieces without spaces")
struct LongPieceTests {
  /// open_clip's `bpe`, literally: the lowest pair of all, joined from the left, and again.
  private func reference(_ piece: String, _ ranks: [[String]: Int]) -> [String] {
    var word = piece.map { String($0) }
    word[word.count - 1] += "</w>"
    while true {
      let pairs = zip(word, word.dropFirst()).map { [$0, $1] }
      guard
        let lowest = pairs.min(by: { ranks[$0, default: .max] < ranks[$1, default: .max] }),
        ranks[lowest] != nil
      else { return word }
      var joined: [String] = []
      for symbol in word {
        // A symbol that was just made is longer than the first of the pair, so it is not joined again.
        if joined.last == lowest[0], symbol == lowest[1] {
          joined[joined.count - 1] += symbol
        } else {
          joined.append(symbol)
        }
      }
      word = joined
    }
  }

  @Test("pieces on both sides of 64 bytes are merged as open_clip merges them", arguments: 0..<40)
  func agrees(seed: Int) throws {
    var state = UInt64(seed) &+ 1
    func draw(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    // Few letters: many equal pairs side by side, where the order decides.
    let letters = Array(["aeo", "ab", "the", "sin", "lmnopqrstaei", "aaaab"][seed % 6])
    let words = ["the", "ing", "ana", "ation", "oooo", "hahaha", "nan"]
    var piece = ""
    while piece.count < 40 + 5 * seed {
      piece += draw(3) == 0 ? words[draw(words.count)] : String(letters[draw(letters.count)])
    }
    let tokenizer = try BytePairTokenizer(
      mergesText: BytePairTokenizer.clip().mergesText, contextLength: 1000)
    let merges = tokenizer.mergesText.split(separator: "\n").dropFirst()
    let ranks = Dictionary(
      uniqueKeysWithValues: merges.enumerated().map {
        ($1.split(separator: " ").map(String.init), $0)
      })
    let spelled = tokenizer.encode(piece).dropFirst().dropLast().map { tokenizer.decode([$0]) }
    let expected = reference(piece, ranks).map { $0.replacing("</w>", with: "") }
    #expect(spelled == expected, "\(piece)")
  }

  @Test(
    "400,000 characters of any kind take time in proportion, not its square",
    .timeLimit(.minutes(1)),
    arguments: [
      "the", "ax", "a", "\u{301}", "\u{301}\u{316}", "e\u{301}", "Σ", "Σ.", "&", "&#", "&#3",
      "&amp",
      "&amp;", "&a", "&lt;", "Ã©", "ÃƒÂ©", "Ã", "Ã ", "â€", "ã", "\u{1B}[1;", "<", "'", "'s", "1",
      "\n",
      "é\n", "\u{2028}", "漢", "😀", "\u{FFFD}", "\u{1160}", "\u{AC00}", "í\u{A0}\u{80}",
      "\u{C0}\u{80}",
    ])
  func linear(_ unit: String) throws {
    let count = 400_000 / unit.unicodeScalars.count
    #expect(try BytePairTokenizer.clip().encode(String(repeating: unit, count: count)).count <= 77)
  }
}

@Suite("Tables of merges")
struct MergeTableTests {
  @Test("the text form reads back as the same tokenizer")
  func roundTrip() throws {
    let text = try BytePairTokenizer.clip().mergesText
    #expect(try BytePairTokenizer(mergesText: text).mergesText == text)
    #expect(text.utf8.count { $0 == UInt8(ascii: "\n") } == 48_894)
  }

  @Test(
    "a damaged table is refused with the line",
    arguments: [
      ("", TokenizerError(.noHeader, line: 1)),
      ("i n\n", TokenizerError(.noHeader, line: 1)),
      ("#version: 0.2\ni n\nin\n", TokenizerError(.malformed, line: 3)),
      ("#version: 0.2\ni n g\n", TokenizerError(.malformed, line: 2)),
      ("#version: 0.2\ni  n\n", TokenizerError(.malformed, line: 2)),
      ("#version: 0.2\nin g\n", TokenizerError(.unknownSymbol("in"), line: 2)),
      ("#version: 0.2\ni n\ni n\n", TokenizerError(.repeated("in"), line: 3)),
      ("#version: 0.2\ni n\nn g\nin g\ni ng\n", TokenizerError(.repeated("ing"), line: 5)),
    ])
  func damaged(_ text: String, _ error: TokenizerError) {
    #expect(throws: error) { try BytePairTokenizer(mergesText: text) }
  }
}

@Suite("Learning merges")
struct MergeLearningTests {
  @Test("the most frequent pair is joined first, ties by the lower id")
  func order() {
    let tokenizer = BytePairTokenizer.train(
      on: ["low low low low low", "lower lower", "newest newest newest", "widest widest"],
      vocabularySize: 514 + 4)
    // l o stands 7 times, then four pairs 5 times: e has a lower id than lo, and lo than es.
    #expect(tokenizer.mergesText == "#version: 0.2\nl o\ne s\nlo w</w>\nes t</w>")
  }

  /// Byte-pair learning written down plainly: every pair counted anew before every merge.
  private func reference(_ words: [(bytes: [UInt8], count: Int)], merges: Int) -> [String] {
    // Printable ASCII only: its symbols are in the order of the bytes, ends after all others.
    var words = words.map { word in
      (
        symbols: word.bytes.enumerated().map {
          Int($1) - 33 + ($0 == word.bytes.count - 1 ? 256 : 0)
        }, count: word.count
      )
    }
    var spellings: [Int: String] = [:]
    for byte in 33...126 {
      spellings[byte - 33] = String(UnicodeScalar(UInt8(byte)))
      spellings[byte - 33 + 256] = String(UnicodeScalar(UInt8(byte))) + "</w>"
    }
    var lines: [String] = []
    while lines.count < merges {
      var counts: [[Int]: Int] = [:]
      for word in words {
        for pair in zip(word.symbols, word.symbols.dropFirst()) {
          counts[[pair.0, pair.1], default: 0] += word.count
        }
      }
      let made = Set(spellings.values)
      let best = counts.filter { $0.value > 1 }.sorted {
        $0.value != $1.value
          ? $0.value > $1.value : $0.key.lexicographicallyPrecedes($1.key)
      }.first { !made.contains((spellings[$0.key[0]] ?? "") + (spellings[$0.key[1]] ?? "")) }
      guard let pair = best?.key, let left = spellings[pair[0]], let right = spellings[pair[1]]
      else { break }
      let symbol = 512 + lines.count
      spellings[symbol] = left + right
      lines.append(left + " " + right)
      for index in words.indices {
        var merged: [Int] = []
        for next in words[index].symbols {
          // A pair that was just joined is no left half for the same merge.
          if merged.last == pair[0], next == pair[1] {
            merged[merged.count - 1] = symbol
          } else {
            merged.append(next)
          }
        }
        words[index].symbols = merged
      }
    }
    return lines
  }

  @Test("agrees with a plain recount before every merge", arguments: 0..<20)
  func recount(seed: Int) {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func draw(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    let words = (0..<40).map { _ in
      (
        bytes: (0...draw(9)).map { _ in UInt8(ascii: "a") + UInt8(draw(1 + seed % 5)) },
        count: 1 + draw(4)
      )
    }
    let texts = words.map {
      Array(repeating: String(decoding: $0.bytes, as: UTF8.self), count: $0.count)
        .joined(separator: " ")
    }
    let learned = BytePairTokenizer.train(on: texts, vocabularySize: 514 + 30)
    let lines = learned.mergesText.split(separator: "\n").dropFirst().map(String.init)
    #expect(lines == reference(words, merges: 30))
  }

  @Test("a learned tokenizer reads back from its table, and knows frequent words whole")
  func roundTrip() throws {
    let texts = (0..<200).map { "a \(["red", "blue"][$0 % 2]) circle and a \($0 % 7) square" }
    let learned = BytePairTokenizer.train(on: texts, vocabularySize: 600)
    let read = try BytePairTokenizer(mergesText: learned.mergesText)
    #expect(read.vocabularySize == learned.vocabularySize)
    for text in texts { #expect(read.encode(text) == learned.encode(text)) }
    #expect(learned.encode("a red circle and a blue square").count == 2 + 7)
    #expect(learned.decode(learned.encode("Ünseen wörds 😀")) == "ünseen wörds 😀")
  }

  @Test("texts are learned from in any order, and give the same table")
  func orderOfTexts() {
    let texts = (0..<60).map { "caption \($0 % 13) of \($0 * $0 % 31) things" }
    let table = BytePairTokenizer.train(on: texts, vocabularySize: 560).mergesText
    #expect(BytePairTokenizer.train(on: texts.reversed(), vocabularySize: 560).mergesText == table)
  }

  @Test("learning ends when no pair occurs twice")
  func exhausted() {
    let learned = BytePairTokenizer.train(on: ["ab", "cd"], vocabularySize: 1000)
    #expect(learned.vocabularySize == 514)
  }
}
