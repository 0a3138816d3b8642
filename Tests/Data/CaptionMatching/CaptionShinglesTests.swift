import CaptionMatching
import Testing

@Suite struct CaptionShinglesTests {
  private func shingles(_ caption: String) -> Set<UInt32> {
    let hashes = CaptionShingles.hashes(of: NormalizedCaption.utf8(of: caption))
    #expect(hashes == Set(hashes).sorted(), "\(caption) has them in order, once each")
    return Set(hashes)
  }

  private func similarity(_ left: String, _ right: String) -> Double {
    let (left, right) = (shingles(left), shingles(right))
    return Double(left.intersection(right).count) / Double(left.union(right).count)
  }

  @Test("a caption of four words or more is its words and their pairs")
  func words() {
    for count in CaptionShingles.fewestWords...60 {
      let words = (0..<count).map { "w\($0)" }
      #expect(shingles(words.joined(separator: ", ")).count == 2 * count - 1)
      // A word in the middle takes itself and two pairs along.
      var other = words
      other[count / 2] = "another"
      let shared = Double(2 * count - 4)
      #expect(
        similarity(words.joined(separator: " "), other.joined(separator: " "))
          == shared / (shared + 6))
    }
  }

  @Test("the order of words counts")
  func order() {
    // Six words and six pairs each; the words and four pairs are shared.
    #expect(similarity("a red cube on a blue ball", "a blue cube on a red ball") == 10.0 / 14)
    #expect(similarity("a dog, running in the park", "A dog running in the park!") == 1)
  }

  @Test("a script without spaces has a word in each character, and so has an emoji")
  func withoutSpaces() {
    for caption in ["春天里一只狗在跑", "ฝนตกที่บ้านเรา", "🐶🐱🐭🐹🐰🦊🐻🐼"] {
      #expect(shingles(caption).count > shingles("of four words alone").count, "\(caption)")
    }
    // Of eight characters one differs: 8 + 7 less 3.
    #expect(similarity("春天里一只狗在跑", "春天里一只猫在跑") == 12.0 / 18)
    #expect(shingles("春天里一只狗在跑") == shingles("春天 里一只 狗在跑"))
    // Tones of skin belong to the emoji before them.
    #expect(shingles("👍🏽👍🏽👍🏽👍🏽") != shingles("👍👍👍👍"))
    #expect(shingles("👍🏽👍🏽👍🏽👍🏽").count == shingles("👍👍👍👍").count)
  }

  @Test("a short caption is its trigrams, and has nothing in common with a long one")
  func short() {
    #expect(shingles("").isEmpty)
    #expect(shingles("x").count == 1)
    #expect(shingles("dogs").count == 4)
    #expect(similarity("portrait photography", "portrait photographs") > 0.8)
    #expect(similarity("cat", "car") < 0.5)
    #expect(similarity("red dog runs", "red dog runs fast") == 0)
    #expect(!shingles("???").isEmpty)
  }

  @Test("words beyond the 256th do not count")
  func bounded() {
    let words = (0..<CaptionShingles.mostWords + 50).map { "w\($0)" }
    let most = words.prefix(CaptionShingles.mostWords)
    #expect(shingles(words.joined(separator: " ")) == shingles(most.joined(separator: " ")))
    let symbols = String(repeating: "🐶", count: 5000)
    #expect(shingles(symbols) == shingles(String(symbols.prefix(CaptionShingles.mostWords))))
  }
}
