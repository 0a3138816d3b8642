import DecodeStage
import Deduplication
import DurableFiles
import PairDataset
import PerceptualHash
import PipelineCore

/// The pictures that a person is shown: some dropped ones with their survivors, and pairs just above the
/// threshold.
struct ShardSamples {
  /// Dropped pictures, and pairs above the threshold, that are shown at most.
  static let mostDropped = 160
  static let mostNearMisses = 18

  let dropped: [DuplicateSample]
  let nearMisses: [NearMiss]

  /// The rows whose pictures are wanted.
  var rows: Set<Int> {
    Set(dropped.map(\.row)).union(keptRows)
  }

  private var keptRows: Set<Int> {
    Set(dropped.compactMap(\.drop.survivor)).union(nearMisses.flatMap { [$0.first, $0.second] })
  }

  /// Chooses among all pairs; a pass over what is known of them.
  static func choose(
    in folder: WorkFolder, _ fates: [Int: ShardFate], _ table: FateTable,
    _ options: ShardDeduplicationOptions
  ) throws -> ShardSamples {
    var dropped: [DuplicateSample] = []
    var kept: [(row: Int, signature: PictureSignature)] = []
    let looks = options.rules.kind == .near
    for batch in 0..<(try folder.examinedBatches()) {
      for pair in try folder.pairs(batch) {
        if let fate = fates[pair.row] {
          dropped.append(
            DuplicateSample(
              row: pair.row, uid: pair.uid, caption: pair.caption, url: pair.url, drop: fate.drop,
              survivorUID: table.survivor(of: fate)?.uid ?? fate.survivorUID, source: fate.source,
              distance: table.distance(pair, fate), difference: table.difference(pair, fate)))
        } else if looks, kept.count < NearMisses.mostPictures, let signature = pair.signature {
          kept.append((pair.row, signature))
        }
      }
      // Only what may be chosen in the end: the memory stays bounded.
      if dropped.count > 50 * mostDropped { dropped = chosen(dropped, 10 * mostDropped) }
    }
    return ShardSamples(
      dropped: chosen(dropped, mostDropped),
      nearMisses: try NearMisses.find(
        among: kept, radius: options.rules.radius, most: mostNearMisses, threads: options.threads))
  }

  private static func chosen(_ samples: [DuplicateSample], _ most: Int) -> [DuplicateSample] {
    let rows = Set(SampleChoice.rows(of: samples, most: most))
    return samples.filter { rows.contains($0.row) }
  }

  /// Writes `duplicates/`: the dropped pictures, the kept ones, and the pairs above the threshold.
  func write(
    to out: String, pictures: [Int: ByteRange], in path: String, captions: [Int: String],
    by maker: ThumbnailMaker
  ) throws {
    let folder = "\(out)/\(DuplicateReview.folder)"
    let order = pictures.sorted { $0.value.offset < $1.value.offset }
    let made = try maker.thumbnails(of: order.map(\.value), in: path)
    let jpegs = Dictionary(
      uniqueKeysWithValues: zip(order.map(\.key), made).compactMap { row, jpeg in
        jpeg.map { (row, $0) }
      })
    try DuplicateSamples(folder).write(0, dropped.map { ($0, jpegs[$0.row]) })
    let kept = keptRows.sorted().filter { jpegs[$0] != nil }
    if !kept.isEmpty {
      try DurableFile.makeFolder("\(folder)/kept")
      let writer = try ShardWriter(folder: "\(folder)/kept", name: "00000", compression: .none)
      for row in kept {
        try writer.append(
          Pair(
            key: String(row), caption: captions[row] ?? "", image: jpegs[row] ?? [],
            metadata: Array("{}".utf8)))
      }
      _ = try writer.finish()
    }
    if !nearMisses.isEmpty {
      try JSONLines.write(
        nearMisses.map { miss in
          .object([
            .init("first", .int(miss.first)), .init("second", .int(miss.second)),
            .init("distance", .int(miss.distance)), .init("difference", .int(miss.difference)),
          ])
        }, to: "\(folder)/\(DuplicateReview.nearMisses)")
    }
  }
}
