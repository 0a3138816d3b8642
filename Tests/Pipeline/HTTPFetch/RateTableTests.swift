import Foundation
import HTTPFetch
import Testing

/// A path of its own for a test's file, removed with the last reference.
final class ScratchFile: Sendable {
  let path = FileManager.default.temporaryDirectory
    .appending(path: "pairloom-test-\(UUID().uuidString)").path

  deinit {
    for end in ["", "-wal", "-shm"] {
      // Most tests make no such file.
      try? FileManager.default.removeItem(atPath: path + end)
    }
  }
}

@Suite struct RateTableTests {
  @Test("starts of one host are never closer than its spacing, whichever table is asked")
  func spacing() throws {
    let file = ScratchFile()
    // Several mappings of one file are what several processes have.
    let tables = try (0..<4).map { _ in try RateTable(path: file.path, longest: 60) }
    var random = SplitMix(state: 7)
    var (now, starts, refusals) = (1000.0, [Double](), 0)
    while starts.count < 500 {
      now += Double.random(in: 0..<0.05, using: &random)
      let table = tables[Int.random(in: 0..<4, using: &random)]
      if let due = table.claim(42, spacing: 0.1, now: now) {
        refusals += 1
        #expect(due > now && due <= now + 0.1)
        // A nanosecond for the table's rounding.
        let expected = (starts.last ?? 0) + 0.1
        #expect(abs(due - expected) < 2e-9)
      } else {
        starts.append(now)
      }
    }
    let gaps = zip(starts, starts.dropFirst()).map { $1 - $0 }
    #expect(gaps.min() ?? 0 >= 0.1 - 2e-9)
    #expect(refusals > 500)
  }

  @Test("threads that claim at once win one start each")
  func race() async throws {
    let file = ScratchFile()
    let tables = try (0..<4).map { _ in try RateTable(path: file.path, longest: 3000) }
    let wins = await withTaskGroup(of: [Int].self) { group in
      for table in tables {
        // Spacing of a second of a clock that counts rounds: one start a round in all.
        group.addTask { (1...2000).filter { table.claim(7, spacing: 1, now: Double($0)) == nil } }
      }
      return await group.reduce(into: [Int]()) { $0 += $1 }
    }
    #expect(Set(wins).count == wins.count)
    #expect(wins.contains(1))
  }

  @Test("a start that nobody uses is not saved up, and another host is free")
  func noCredit() throws {
    let table = try RateTable(path: nil, longest: 60)
    #expect(table.claim(1, spacing: 1, now: 100) == nil)
    #expect(table.claim(2, spacing: 1, now: 100) == nil)
    #expect(table.claim(1, spacing: 1, now: 100.5) == 101)
    #expect(table.claim(1, spacing: 1, now: 200) == nil)
    #expect(table.claim(1, spacing: 1, now: 200) == 201)
  }

  @Test("a pause holds for hosts without a rate too, and is never shortened")
  func pause() throws {
    let table = try RateTable(path: nil, longest: 60)
    table.pause(1, until: 110, now: 100)
    table.pause(1, until: 105, now: 100)
    #expect(table.claim(1, spacing: 0, now: 109) == 110)
    #expect(table.claim(1, spacing: 0, now: 110) == nil)
    #expect(table.claim(1, spacing: 0, now: 110) == nil)
  }

  @Test("what a restarted machine finds from before is void")
  func restart() throws {
    let file = ScratchFile()
    let before = try RateTable(path: file.path, longest: 60)
    #expect(before.claim(1, spacing: 30, now: 900_000) == nil)
    before.pause(2, until: 900_060, now: 900_000)
    let after = try RateTable(path: file.path, longest: 60)
    #expect(after.claim(1, spacing: 30, now: 5) == nil)
    #expect(after.claim(1, spacing: 30, now: 6) == 35)
    after.pause(2, until: 10, now: 6)
    #expect(after.claim(2, spacing: 0, now: 7) == 10)
  }

  @Test("a file of something else is refused, and left as it is")
  func wrongFile() throws {
    let file = ScratchFile()
    try Data("a list".utf8).write(to: URL(filePath: file.path))
    let error = #expect(throws: FetcherError.self) { try RateTable(path: file.path, longest: 60) }
    #expect(error?.description.contains("no table of rates") == true)
    #expect(try Data(contentsOf: URL(filePath: file.path)) == Data("a list".utf8))
    #expect(throws: FetcherError.self) { try RateTable(path: "/nowhere/rates", longest: 60) }
  }
}
