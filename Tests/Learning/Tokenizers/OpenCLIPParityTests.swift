import Foundation
import TestTools
import Testing
import Tokenizers

/// The ids of open_clip's `SimpleTokenizer`, whatever the text.
@Suite("Parity with open_clip")
struct OpenCLIPParityTests {
  @Test("10,000 nasties have the ids that open_clip gave them")
  func nasties() throws {
    let tokenizer = try BytePairTokenizer.clip()
    let nasties = try OpenCLIP.nasties()
    #expect(nasties.count == 10_000)
    let wrong = nasties.filter { OpenCLIP.hash(tokenizer.encode($0.text)) != $0.hash }
    #expect(wrong.isEmpty, "\(wrong.count) differ; the first is \(spelled(wrong.first?.text))")
  }

  @Test("four threads that share a tokenizer give each nasty the same ids as one")
  func threads() async throws {
    let shared = try BytePairTokenizer.clip()
    let nasties = try OpenCLIP.nasties()
    let wrong = await withTaskGroup(of: Int.self) { group in
      for part in 0..<4 {
        group.addTask {
          // Each from another place, so that all of them meet new words.
          let order = nasties.indices.map { nasties[($0 + part * 2500) % nasties.count] }
          return order.count { OpenCLIP.hash(shared.encode($0.text)) != $0.hash }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(wrong == 0)
  }

  @Test(
    "a shorter context holds the same ids, cut, with the end as the last", arguments: [2, 3, 16])
  func contexts(length: Int) throws {
    let long = try BytePairTokenizer.clip(contextLength: 100_000)
    let short = try BytePairTokenizer.clip(contextLength: length)
    for (text, _) in try OpenCLIP.nasties().prefix(2000) {
      let whole = long.encode(text)
      let expected =
        whole.count <= length ? whole : whole.prefix(length - 1) + [long.endToken]
      #expect(short.encode(text) == expected, "\(spelled(text))")
    }
  }

  @Test("with special strings escaped no caption holds a special id, and others keep their ids")
  func escaped() throws {
    let plain = try BytePairTokenizer.clip()
    var strict = plain
    strict.escapesSpecialTokens = true
    var specials = 0
    for (text, _) in try OpenCLIP.nasties() {
      let inner = strict.encode(text).dropFirst().dropLast()
      #expect(!inner.contains { $0 >= strict.startToken }, "\(spelled(text))")
      // A special string of another spelling (ſ) is a piece of its own too, without a special id.
      let mayDiffer = plain.decode(plain.encode(text)).contains("_of_text")
      if plain.encode(text).dropFirst().dropLast().contains(where: { $0 >= plain.startToken }) {
        specials += 1
      } else if !mayDiffer {
        #expect(Array(inner) == plain.encode(text).dropFirst().dropLast(), "\(spelled(text))")
      }
    }
    #expect(specials > 0)
  }

  @Test(
    "every caption of the shared data", .enabled(if: ProjectFolder.sharedData != nil),
    .peers("open_clip", "ftfy", "regex"))
  func captions() async throws {
    let data = try #require(ProjectFolder.sharedData)
    try agree(try await OpenCLIP.samples(["captions", data]), "captions")
  }

  @Test(
    "new nasties, fuzzed captions and fuzzed nasties", .peers("open_clip", "ftfy", "regex"))
  func fuzzed() async throws {
    let count = OpenCLIP.count("PAIRLOOM_TOKENIZER_MUTATIONS", otherwise: 4000)
    let seed = OpenCLIP.count("PAIRLOOM_TOKENIZER_SEED", otherwise: 1)
    // Parts, so that the samples of a long run need not all fit in memory.
    for (part, first) in stride(from: 0, to: count, by: 20_000).enumerated() {
      let size = "\(min(20_000, count - first))"
      let seed = "\(seed + part)"
      try agree(try await OpenCLIP.samples(["nasties", size, seed]), "nasties of seed \(seed)")
      try agree(
        try await OpenCLIP.samples(["fuzz", size, seed, "-"]), "fuzzed nasties of seed \(seed)")
      if let data = ProjectFolder.sharedData {
        try agree(
          try await OpenCLIP.samples(["fuzz", size, seed, data]), "fuzzed captions of seed \(seed)")
      }
    }
  }

  @Test(
    "every character of Unicode between others",
    .enabled(if: ProcessInfo.processInfo.environment["PAIRLOOM_LONG"] != nil),
    .peers("open_clip", "ftfy", "regex"))
  func everyScalar() async throws {
    try agree(try await OpenCLIP.samples(["scalars"]), "characters")
  }

  private func agree(_ samples: [OpenCLIP.Sample], _ what: String) throws {
    let tokenizer = try BytePairTokenizer.clip()
    let wrong = samples.filter { tokenizer.encode($0.text) != $0.ids }
    print("parity with open_clip: \(samples.count) \(what), \(wrong.count) differ")
    #expect(!samples.isEmpty)
    #expect(wrong.isEmpty, "\(wrong.count) \(what) differ; first \(spelled(wrong.first?.text))")
  }

  /// A text so that it can be read in a log.
  private func spelled(_ text: String?) -> String {
    (text ?? "").unicodeScalars.prefix(400).map { $0.escaped(asASCII: true) }.joined()
  }
}
