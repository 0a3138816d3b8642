import CLIPTraining
import DurableFiles
import Foundation
import Testing

@Suite struct FeatureStoreTests {
  static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/features-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }  // Only tidying up.
    try body(folder)
  }

  static func rows(_ range: Range<Int>, width: Int) -> [(key: FeatureKey, row: [Float])] {
    range.map { index in
      (FeatureKey(Array("\(index)".utf8)), (0..<width).map { Float(index) + Float($0) / 7 })
    }
  }

  @Test("features come back to the bit, from memory and from disk")
  func roundTrip() throws {
    try Self.withFolder { folder in
      let rows = Self.rows(0..<500, width: 5)
      let keys = rows.map(\.key)
      do {
        let store = try FeatureStore(folder: folder, description: ["weights": "a"], width: 5)
        #expect(store.find(keys).allSatisfy { $0 == nil })
        store.insert(Array(rows[..<300]))
        #expect(store.find(keys).prefix(300).compactMap { $0 } == rows[..<300].map(\.row))
        try store.flush(atLeast: 301)
        #expect(store.countOnDisk == 0)
        try store.flush()
        store.insert(Array(rows[200...]))
        try store.flush()
        try store.flush()
        #expect(store.countOnDisk == 500)
      }
      let again = try FeatureStore(folder: folder, description: ["weights": "a"], width: 5)
      #expect(again.countOnDisk == 500)
      #expect(again.find(keys).compactMap { $0 } == rows.map(\.row))
      // Another model has a file of its own.
      let other = try FeatureStore(folder: folder, description: ["weights": "b"], width: 5)
      #expect(other.find(keys).allSatisfy { $0 == nil })
    }
  }

  @Test("a second process reads while the first one writes, and writes nothing")
  func readers() throws {
    try Self.withFolder { folder in
      let rows = Self.rows(0..<10, width: 3)
      let writer = try FeatureStore(folder: folder, description: [:], width: 3)
      writer.insert(rows)
      try writer.flush()
      let reader = try FeatureStore(folder: folder, description: [:], width: 3)
      #expect(reader.find(rows.map(\.key)).compactMap { $0 } == rows.map(\.row))
      reader.insert(Self.rows(10..<20, width: 3))
      try reader.flush()
      #expect(reader.countOnDisk == 10)
    }
  }

  @Test("what is new goes to the disk by itself: a kill loses little, and memory stays bounded")
  func flushesItself() throws {
    try Self.withFolder { folder in
      let store = try FeatureStore(
        folder: folder, description: [:], width: 4, memoryBytes: 1_200 * (16 + 96))
      for start in stride(from: 0, to: 5_000, by: 100) {
        store.insert(Self.rows(start..<start + 100, width: 4))
      }
      // All but what is fewer than a thousand and some.
      #expect(store.countOnDisk > 3_900)
      let found = store.find(Self.rows(0..<5_000, width: 4).map(\.key))
      #expect(found.allSatisfy { $0 != nil })
    }
  }

  @Test("memory and disk are bounded")
  func bounds() throws {
    try Self.withFolder { folder in
      let small = FeatureStore(width: 4, memoryBytes: 100 * (16 + 96))
      let rows = Self.rows(0..<150, width: 4)
      small.insert(Array(rows[..<90]))
      small.insert(Array(rows[90...]))
      let found = small.find(rows.map(\.key))
      #expect(found[..<90].allSatisfy { $0 == nil } && found[90...].allSatisfy { $0 != nil })
      let full = try FeatureStore(
        folder: folder, description: [:], width: 4, diskBytes: 20_000)
      full.insert(Self.rows(0..<100, width: 4))
      try full.flush()
      full.insert(Self.rows(100..<1000, width: 4))
      try full.flush()
      #expect(full.countOnDisk == 100)
    }
  }
}
