import Testing
import pairloom_bench

/// Both sides of the decode benchmark must take the same files.
struct PythonShuffleTests {
  @Test("a shuffle gives CPython's order, also behind the first 624 draws")
  func order() {
    // x = list(range(n)); random.Random(1).shuffle(x); x[:8], x[-1]
    let expected: [(count: Int, head: [Int], last: Int)] = [
      (1, [0], 0), (2, [1, 0], 0), (5, [2, 3, 4, 0, 1], 1),
      (13, [8, 12, 0, 11, 5, 3, 6, 7], 2),
      (4613, [2670, 215, 1287, 4576, 3644, 3084, 3067, 2585], 1100),
    ]
    for (count, head, last) in expected {
      var items = Array(0..<count)
      var order = PythonShuffle(seed: 1)
      order.shuffle(&items)
      #expect(Array(items.prefix(8)) == head)
      #expect(items.last == last)
    }
  }
}
