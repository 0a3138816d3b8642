import CaptionMatching
import Foundation
import SeededRandom
import SegmentFile
import Testing

@Suite struct CaptionIndexTests {
  private func withFile<R>(_ body: (String) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    return try body(folder.appendingPathComponent("captions.index").path)
  }

  @Test(
    "batches, taken back, merged and opened again, answer as a list looked through does",
    arguments: [nil, 0.5, 0.8], [(1, 2), (3, CaptionIndex.mostHolders), (2, 1)])
  func lockstep(similarity: Double?, cost: (threads: Int, mostHolders: Int)) throws {
    let threads = cost.threads
    for seed in 0..<3 {
      try withFile { path in
        var random = RandomStream(seed: 11, path: UInt64(seed))
        let handle = Reopening(
          path: path, similarity: similarity, mostHolders: cost.mostHolders)
        try handle.reopen()
        var naive = NaiveCaptions(
          bands: similarity.map { SimilarityBands(similarity: $0) }, mostHolders: cost.mostHolders)
        var (batch, row) = (0, 0)
        // Batches before this one may have been merged with others.
        var mergeable = 0
        for step in 0..<60 {
          switch random.integer(below: 10) {
          case 0:
            let target = max(0, batch - random.integer(below: 8))
            if try handle.index.rewind(to: target) {
              naive.kept.removeAll { $0.batch >= target }
              batch = target
              mergeable = min(mergeable, target)
            } else {
              #expect(target < mergeable, "the last ones can be taken back")
            }
          case 1: try handle.reopen()
          case 2: try handle.index.refresh()
          default:
            let captions = (0..<random.integer(below: 20)).map { _ in MadeCaptions.caption(&random)
            }
            let judged = handle.index.batch(of: captions, threads: threads)
            for (place, caption) in captions.enumerated() {
              let history = judged.history(at: place)
              #expect(history == naive.history(of: caption), "seed \(seed), step \(step)")
              #expect(judged.key(at: place) == NormalizedCaption.key(of: caption))
              if random.integer(below: 3) > 0 {
                judged.keep(place, row: row)
                naive.kept.append((row, batch, caption))
              }
              row += 1
            }
            try handle.index.append(judged, batch: batch)
            #expect(handle.index.lastBatch == batch)
            batch += 1
            mergeable = max(mergeable, batch - MergePlan.batchesApart)
          }
        }
        for _ in 0..<30 {
          let caption = MadeCaptions.caption(&random)
          let expected = naive.history(of: caption)
          #expect(handle.index.count(of: caption) == expected.count)
          #expect(handle.index.first(caption) == expected.first)
          #expect(handle.index.nearest(to: caption)?.row == expected.near?.row)
          #expect(handle.index.nearest(to: caption)?.similarity == expected.near?.similarity)
        }
        // All of it can be taken back, however it was merged.
        #expect(try handle.index.rewind(to: 0))
        #expect(handle.index.lastBatch == nil)
        #expect(naive.kept.allSatisfy { handle.index.count(of: $0.caption) == 0 })
      }
    }
  }

  @Test("rows that are kept later in the batch are not seen, and rows that are dropped never")
  func withinBatch() throws {
    try withFile { path in
      let index = try CaptionIndex(path, similarity: 0.8, isWritable: true)
      let caption = "one two three four five six seven eight"
      let batch = index.batch(
        of: [caption, caption.uppercased(), caption + " nine", "x"], threads: 2)
      #expect(batch.history(at: 1) == CaptionHistory(count: 0, first: nil, near: nil))
      batch.keep(0, row: 5)
      let equal = NearCaption(row: 5, similarity: 1)
      #expect(batch.history(at: 1) == CaptionHistory(count: 1, first: 5, near: equal))
      #expect(batch.history(at: 2).count == 0)
      #expect(batch.history(at: 2).near == NearCaption(row: 5, similarity: 15.0 / 17))
      #expect(batch.history(at: 3) == CaptionHistory(count: 0, first: nil, near: nil))
      try index.append(batch, batch: 0)
      #expect(index.count(of: caption) == 1)
      #expect(index.count(of: caption + " nine") == 0)
    }
  }

  @Test(
    "a template's captions cost the same each, however many there are and whatever they fall into")
  func template() throws {
    let bands = SimilarityBands(similarity: 0.8).bands
    var random = RandomStream(seed: 31)
    // Four words of nine are its own: too far from the others to be near, not to share bands.
    let captions = (0..<3000).map { _ in
      let own = (0..<2).map { _ in "w\(random.integer(below: 1_000_000))" }
      return "photo of the product \(own[0]) in our shop for \(own[1]) now"
    }
    func run(_ chunk: Int, _ threads: Int) throws -> (near: [NearCaption?], comparisons: [Int]) {
      try withFile { path in
        let index = try CaptionIndex(
          path, similarity: 0.8, isWritable: true, mostHolders: 16)
        var near: [NearCaption?] = []
        var comparisons: [Int] = []
        for start in stride(from: 0, to: captions.count, by: chunk) {
          let rows = start..<min(start + chunk, captions.count)
          let batch = index.batch(of: Array(captions[rows]), threads: threads)
          for row in rows {
            near.append(batch.history(at: row - start).near)
            batch.keep(row - start, row: row)
          }
          comparisons.append(batch.comparisons)
          try index.append(batch, batch: start / chunk)
        }
        return (near, comparisons)
      }
    }
    let chunks = try run(100, 2)
    // In the index and in the batch each band's holders, and no more.
    #expect(chunks.comparisons.allSatisfy { $0 <= 100 * bands * 16 })
    let (early, late) = (chunks.comparisons[9], chunks.comparisons[29])
    try #require(early > 0, "captions of the template share bands")
    // Rare bands fill up later; all pairs would be three times as many.
    #expect(
      late < 2 * early, "\(early) comparisons for the tenth hundred, \(late) for the thirtieth")
    for (chunk, threads) in [(3000, 1), (17, 3)] {
      #expect(try run(chunk, threads).near == chunks.near, "batches of \(chunk)")
    }
  }

  @Test("captions of nothing, of a megabyte and of emoji are counted as others are")
  func hostile() throws {
    try withFile { path in
      let index = try CaptionIndex(path, similarity: 0.8, isWritable: true)
      let captions = [
        "", String(repeating: "long ", count: 200_000), String(repeating: "🐶", count: 10_000),
        "a\u{0}b\u{0}c\u{0}d", String(repeating: "x", count: 1 << 20), "\u{FFFD}\u{10FFFF}",
      ]
      try index.append(
        captions.enumerated().map { .init(row: $0.offset, caption: $0.element) }, batch: 0)
      for (row, caption) in captions.enumerated() {
        #expect(index.count(of: caption) == 1)
        #expect(index.first(caption) == row)
        // The empty caption is near to nothing.
        #expect(index.nearest(to: caption)?.row == (caption.isEmpty ? nil : row))
      }
      #expect(index.nearest(to: String(repeating: "long ", count: 300_000))?.row == 1)
    }
  }

  @Test("a segment that holds something else is refused before anything of it is believed")
  func unreadable() throws {
    func words(_ values: UInt64...) -> [UInt8] {
      values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
    }
    let absurd: [[UInt8]] = [
      [], [UInt8](repeating: 0, count: 63), [UInt8](repeating: 0, count: 64),
      [UInt8](repeating: 255, count: 200), words(1, 0, 1 << 40, 1 << 40, 1 << 40, 1024, 0, 0),
      words(1, 0, 0, 0, 0, 0, 0, 0),
      words(2, 0, 0, 0, 0, 0, 0, 0) + [UInt8](repeating: 0, count: 20),
    ]
    for bytes in absurd {
      try withFile { path in
        do {
          let file = try SegmentFile(path, magic: Array("PLCAPTN1".utf8), isWritable: true)
          try file.append([.init(kind: 1, batches: 0...0, bytes: bytes)])
        }
        #expect(throws: CaptionIndexError(.unreadable(segment: 0), path: path)) {
          try CaptionIndex(path, similarity: nil, isWritable: false)
        }
      }
    }
  }

  @Test("a file that was made for another similarity is refused, and says so")
  func otherSimilarity() throws {
    try withFile { path in
      do {
        let index = try CaptionIndex(path, similarity: 0.8, isWritable: true)
        try index.append([.init(row: 0, caption: "x")], batch: 0)
      }
      for wanted in [nil, 0.7] {
        let expected = CaptionIndexError(.otherSimilarity(found: 0.8, wanted: wanted), path: path)
        #expect(throws: expected) {
          try CaptionIndex(path, similarity: wanted, isWritable: true)
        }
        #expect("\(expected)".contains("0.8"))
      }
    }
  }
}

/// One handle writes at a time, so that the old one must be gone before there is another.
private final class Reopening {
  private let path: String
  private let similarity: Double?
  private let mostHolders: Int
  private var opened: CaptionIndex?

  init(path: String, similarity: Double?, mostHolders: Int) {
    self.path = path
    self.mostHolders = mostHolders
    self.similarity = similarity
  }

  var index: CaptionIndex {
    guard let opened else { preconditionFailure("not opened") }
    return opened
  }

  func reopen() throws {
    opened = nil
    opened = try CaptionIndex(
      path, similarity: similarity, isWritable: true, mostHolders: mostHolders)
  }
}
