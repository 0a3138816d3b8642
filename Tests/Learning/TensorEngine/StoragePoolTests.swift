import Foundation
import SeededRandom
import TensorEngine
import Testing

struct StoragePoolTests {
  @Test("tensors of all sizes keep their values while others come and go", arguments: 0..<4)
  func keepsApart(seed: UInt64) {
    var random = RandomStream(seed: seed)
    var alive: [(tensor: Tensor, value: Float)] = []
    for number in 0..<400 {
      if alive.count > 20 || (alive.count > 3 && random.uniform() < 0.4) {
        let (tensor, value) = alive.remove(at: Int(random.uniform() * Double(alive.count)))
        tensor.withSpan { span in
          for index in span.indices where span[index] != value {
            Issue.record("a float of tensor \(value) is \(span[index])")
            return
          }
        }
      }
      // From a cache line to two regions' granules, on both sides of what is cut from regions.
      let size = Int(pow(2, random.uniform() * 18))
      alive.append((Tensor(shape: [size], repeating: Float(number)), Float(number)))
    }
  }

  @Test("large blocks of other sizes find room in what was given back")
  func reuses() async {
    // A process of its own: the counters are the process's.
    await #expect(processExitsWith: .success) {
      func round(_ sizes: [Int]) {
        var all: [Tensor] = []
        for size in sizes { all.append(Tensor(shape: [size], repeating: 1)) }
      }
      round([100_000, 300_000, 200_000])
      let before = StorageUsage.current
      // The same floats cut otherwise, and fewer.
      round([150_000, 150_000, 299_000])
      round([590_000])
      round([20_000, 400_000])
      precondition(StorageUsage.current == before)
    }
  }

  @Test("trim gives back what is free; what is in use stays, and free memory can be used again")
  func trims() async {
    await #expect(processExitsWith: .success) {
      var kept: Tensor? = Tensor(shape: [1_000_000], repeating: 7)
      func fill() { _ = Tensor(shape: [2_000_000], repeating: 1) }
      fill()
      StorageUsage.trim()
      precondition(StorageUsage.current.bytesHeld == StorageUsage.current.bytesInUse)
      fill()
      precondition(kept?.sum() == 7_000_000)
      precondition(StorageUsage.current.mostBytesInUse >= 12_000_000)
      kept = nil
      StorageUsage.trim()
      precondition(StorageUsage.current.bytesHeld == 0)
    }
  }
}

struct TrimmedHoleTests {
  @Test("a hole that trim gave back counts as held when it is used again")
  func counts() async {
    await #expect(processExitsWith: .success) {
      var hole: Tensor? = Tensor(shape: [1_000_000], repeating: 1)
      let behind = Tensor(shape: [1_000_000], repeating: 2)
      guard hole != nil else { return }
      hole = nil
      StorageUsage.trim()
      let again = Tensor(shape: [1_000_000], repeating: 3)
      let usage = StorageUsage.current
      precondition(again.count + behind.count == 2_000_000)
      precondition(usage.bytesHeld >= usage.bytesInUse, "\(usage)")
    }
  }
}

struct BFloat16Tests {
  /// Round to nearest, ties to even, bit by bit.
  private func reference(_ x: Float) -> Float {
    guard x.isFinite else { return x }
    let bits = UInt64(x.bitPattern)
    let (floor, rest) = (bits >> 16, bits & 0xFFFF)
    let up = rest > 0x8000 || (rest == 0x8000 && floor & 1 == 1)
    return Float(bitPattern: UInt32((floor + (up ? 1 : 0)) << 16))
  }

  @Test("rounds to nearest, ties to even", arguments: [0, 1, 7, 8, 9, 15, 16, 17, 40_003])
  func rounds(count: Int) {
    var random = RandomStream(seed: UInt64(count))
    let special: [Float] = [
      0, -0, 1, 1.0039062, 1.0117188, -1.0039062, .infinity, -.infinity, .greatestFiniteMagnitude,
      .leastNonzeroMagnitude, 3.3895314e38,
    ]
    let values = (0..<count).map { index in
      index < special.count ? special[index] : Float(random.normal() * 1e3)
    }
    let found = BFloat16Tensor(Tensor(shape: [count], values)).widened()
    #expect(found.values.map(\.bitPattern) == values.map { reference($0).bitPattern })
    // NaN stays NaN, whatever its payload.
    let strange = Tensor(shape: [2], [.nan, Float(bitPattern: 0x7F80_0001)])
    #expect(BFloat16Tensor(strange).widened().values.allSatisfy { $0.isNaN })
  }
}
