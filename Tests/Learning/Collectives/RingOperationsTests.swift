import Collectives
import RankThreads
import Testing

@Suite struct RingOperationsTests {
  /// Awkward values: sums of them depend on the order of addition.
  static func values(rank: Int, count: Int) -> [Float] {
    var state = UInt32(truncatingIfNeeded: rank &* 7919 &+ count &* 31 &+ 1)
    return (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(Int32(bitPattern: state)) * 0x1p-20 * (state & 64 == 0 ? 1 : 1e-5)
    }
  }

  /// The documented order: segment k is summed from rank k on, around the ring.
  static func reference(world: Int, count: Int) -> [Float] {
    let all = (0..<world).map { values(rank: $0, count: count) }
    return (0..<count).map { i in
      let k = (0..<world).first { i < ($0 + 1) * count / world } ?? 0
      var sum = all[k][i]
      for step in 1..<max(1, world) { sum += all[(k + step) % world][i] }
      return sum
    }
  }

  static func sizes(_ world: Int) -> [Int] { [0, 1, world - 1, world + 1, 1_237, 100_000] }

  @Test("all-reduce equals the serial sum in the documented order bit for bit", arguments: 1...5)
  func allReduce(world: Int) throws {
    let results = try Ranks.run(world) { group in
      try Self.sizes(world).map { count in
        var buffer = Self.values(rank: group.rank, count: count)
        try group.allReduceSum(&buffer)
        return buffer.map(\.bitPattern)
      }
    }
    let expected = Self.sizes(world).map { count in
      Self.reference(world: world, count: count).map(\.bitPattern)
    }
    for result in results { #expect(try result.get() == expected) }
  }

  @Test("a buffer larger than every socket buffer does not block the ring", arguments: [2, 3])
  func large(world: Int) throws {
    let count = 6_000_000
    let results = try Ranks.run(world) { group in
      var buffer = [Float](repeating: Float(group.rank + 1), count: count)
      try group.allReduceSum(&buffer)
      let sum = Float(world * (world + 1) / 2)
      return (buffer.allSatisfy { $0 == sum }, group.bytesSent)
    }
    for result in results {
      let (isRight, sent) = try result.get()
      #expect(isRight)
      // 2·(P−1)/P·S, and per chunk of 256 KiB a header of 24 bytes; the barrier at connect is small.
      let data = 2 * (world - 1) * count * 4 / world
      #expect(sent >= data && sent <= data + 24 * (data / 262_144 + 2 * world) + 28 * world)
    }
  }

  @Test("all-gather gives uneven parts by rank, empty ones too", arguments: 1...5)
  func allGather(world: Int) throws {
    @Sendable func part(_ rank: Int) -> [Float] {
      Self.values(rank: rank, count: rank == 1 ? 0 : rank * 70_000 + 3)
    }
    let results = try Ranks.run(world) { try $0.allGather(part($0.rank)) }
    for result in results { #expect(try result.get() == (0..<world).map(part)) }
  }

  @Test("broadcast puts the root's bits everywhere", arguments: 1...5)
  func broadcast(world: Int) throws {
    let results = try Ranks.run(world) { group in
      try (0..<world).flatMap { root in
        try Self.sizes(world).map { count in
          var buffer = Self.values(rank: group.rank, count: count)
          try group.broadcast(&buffer, from: root)
          return buffer == Self.values(rank: root, count: count)
        }
      }
    }
    for result in results { #expect(try !result.get().contains(false)) }
  }

  @Test("no rank leaves a barrier before the last has come", arguments: 2...5)
  func barrier(world: Int) throws {
    let arrived = Shared(0)
    let results = try Ranks.run(world) { group in
      for round in 1...20 {
        arrived.value.withLock { $0 += 1 }
        try group.barrier()
        guard arrived.value.withLock({ $0 }) >= round * world else { return false }
      }
      return true
    }
    for result in results { #expect(try result.get()) }
  }
}
