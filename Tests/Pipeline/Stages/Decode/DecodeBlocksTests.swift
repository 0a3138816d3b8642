import DecodeStage
import Synchronization
import Testing

/// How a chunk is split among writes and threads.
@Suite struct DecodeBlocksTests {
  @Test("a block ends by rows or by bytes, and what is larger than a block stands alone")
  func blocks() {
    let most = DecodeBlocks.mostBytes
    #expect(DecodeBlocks.ranges(of: []) == [])
    #expect(
      DecodeBlocks.ranges(of: [Int](repeating: 1, count: 600)) == [0..<256, 256..<512, 512..<600])
    #expect(
      DecodeBlocks.ranges(of: [most / 2, most / 2, 1, most + 1, 5, most - 5, 1])
        == [0..<2, 2..<3, 3..<4, 4..<6, 6..<7])
  }

  @Test("what a picture may take goes by its body, the size and the encoding")
  func weights() throws {
    for (settings, weight) in [
      (["image_size=256"], 65_536), (["image_size=1024"], 1_048_576),
      (["image_size=256", "encode_format=png"], 196_608), (["resize_mode=no"], 1_000),
      (["image_size=16"], 1_000), (["resize_mode=no", "encode_format=png"], 8_000),
      (["image_size=256", "disable_all_reencoding=true"], 1_000),
    ] {
      let options = try decodeOptions(settings)
      #expect(DecodeBlocks.weight(ofBody: 1_000, options) == weight, "\(settings)")
    }
  }

  private struct Failure: Error, Equatable { var part: Int }

  @Test("results come in order", arguments: [1, 2, 5])
  func order(threads: Int) throws {
    let results = try OrderedLanes.results(100, threads: threads) { $0 * $0 }
    #expect(results == (0..<100).map { $0 * $0 })
    #expect(try OrderedLanes.results(0, threads: threads) { $0 }.isEmpty)
  }

  @Test(
    "after an error no part is begun, and the first part's error is the one", arguments: [1, 4])
  func error(threads: Int) {
    let begun = Atomic<Int>(0)
    #expect(throws: Failure(part: 3)) {
      try OrderedLanes.results(100_000, threads: threads) { part in
        begun.add(1, ordering: .relaxed)
        if part >= 3 { throw Failure(part: part) }
        return part
      }
    }
    // Three went well, and each thread may have met one that did not.
    #expect(begun.load(ordering: .relaxed) <= 3 + threads)
  }
}
