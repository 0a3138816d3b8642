import CaptionMatching
import Foundation
import SeededRandom
import Testing

@Suite struct NearCaptionRecallTests {
  /// Words and pairs of neighbours, as ``CaptionShingles`` says, without its hashes.
  private func parts(_ caption: String) -> Set<String> {
    let words = caption.split(separator: " ").map(String.init)
    return Set(words + zip(words, words.dropFirst()).map { "\($0) \($1)" })
  }

  private func jaccard(_ left: Set<String>, _ right: Set<String>) -> Double {
    Double(left.intersection(right).count) / Double(left.union(right).count)
  }

  /// Captions of 6 to 30 words in families whose members differ in a few.
  private func families(seed: UInt64) -> [String] {
    var random = RandomStream(seed: seed)
    func word() -> String { "w\(Int(3000 * pow(random.uniform(), 2)))" }
    return (0..<120).flatMap { _ -> [String] in
      let original = (0..<random.integer(below: 25) + 6).map { _ in word() }
      return (0..<6).map { _ in
        var words = original
        for _ in 0..<random.integer(below: 4) {
          let place = random.integer(below: words.count)
          switch random.integer(below: 3) {
          case 0: words[place] = word()
          case 1: words.insert(word(), at: place)
          default: words.remove(at: place)
          }
        }
        return words.joined(separator: " ")
      }
    }
  }

  @Test(
    "of pairs just at the similarity, 95 in 100 are found; none is that is not one",
    arguments: [0.5, 0.6, 0.7, 0.8, 0.9])
  func recall(similarity: Double) throws {
    let captions = families(seed: 21)
    let parts = captions.map(parts)
    let bands = SimilarityBands(similarity: similarity)
    let shingles = captions.map { CaptionShingles.hashes(of: NormalizedCaption.utf8(of: $0)) }
    let hashes = shingles.map(bands.hashes)
    var (near, found) = (0, 0)
    for right in captions.indices {
      for left in 0..<right {
        let truth = jaccard(parts[left], parts[right])
        let isCandidate = zip(hashes[left], hashes[right]).contains { $0 == $1 }
        // Compared by what is stored, every pair is judged as by its words.
        let judged = bands.similarity(shingles[left], shingles[right])
        #expect(judged == (truth >= similarity ? truth : nil))
        guard truth >= similarity, truth < similarity + 0.05 else { continue }
        near += 1
        found += isCandidate ? 1 : 0
      }
    }
    try #require(near >= 100)
    // Pairs of one family share what makes them missed, so they are fewer trials than they seem; the
    // bands are chosen for 0.97 at the similarity, more above it.
    #expect(Double(found) / Double(near) >= 0.95, "\(found) of \(near)")
  }

  @Test("the index finds what any pair of all is")
  func againstAllPairs() throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("\(UUID().uuidString).index").path
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
    let index = try CaptionIndex(path, similarity: 0.8, isWritable: true)
    let captions = families(seed: 22)
    let parts = captions.map(parts)
    var (duplicates, found) = (0, 0)
    for start in stride(from: 0, to: captions.count, by: 50) {
      let rows = start..<min(start + 50, captions.count)
      let batch = index.batch(of: Array(captions[rows]), threads: 2)
      for row in rows {
        let earlier = (0..<row).filter { jaccard(parts[$0], parts[row]) >= 0.8 }
        let near = batch.history(at: row - start).near
        if let near {
          #expect(earlier.contains(near.row))
          #expect(near.similarity == jaccard(parts[near.row], parts[row]))
        }
        duplicates += earlier.isEmpty ? 0 : 1
        found += near == nil ? 0 : 1
        batch.keep(row - start, row: row)
      }
      try index.append(batch, batch: start / 50)
    }
    try #require(duplicates >= 100)
    #expect(Double(found) / Double(duplicates) >= 0.95, "\(found) of \(duplicates)")
  }
}
