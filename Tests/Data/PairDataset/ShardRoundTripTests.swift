import DurableFiles
import Foundation
import PairDataset
import Testing

@Suite struct ShardRoundTripTests {
  let folder = NSTemporaryDirectory() + "pairloom-shards-\(UUID().uuidString)"

  @Test("pairs come back as they were written", arguments: ShardCompression.allCases)
  func roundTrip(compression: ShardCompression) throws {
    try DurableFile.makeFolder(folder)
    let pairs = (0..<50).map { TestPairs.pair($0) }
    let writer = try ShardWriter(folder: folder, name: "00000", compression: compression)
    for pair in pairs { try writer.append(pair) }
    let summary = try writer.finish()
    #expect(summary.pairs == pairs.count)
    let reader = try ShardReader(path: folder + "/" + summary.file)
    #expect(reader.keys == pairs.map(\.key))
    for index in pairs.indices.reversed() { #expect(try reader.pair(at: index) == pairs[index]) }
    var seen: [Pair] = []
    try reader.forEach { seen.append($0) }
    #expect(seen == pairs)
  }
}
