import DecodeStage
import Deduplication
import DurableFiles
import PairDataset
import PerceptualHash
import PipelineCore
public import WorkerProcesses

/// What a run's deduplication left for a person to judge it by.
public enum RunReview {
  /// The groups, and the pairs near the threshold.
  ///
  /// Costs a pass over the tables of verdicts and, with `radius`, over the decoded ones; kept pictures are taken
  /// from the run's shards and made small.
  ///
  /// - Parameters:
  ///   - path: The run's folder.
  ///   - radius: Within which pictures were dropped; nil where only equal bytes counted.
  ///   - threads: Cores to use.
  ///   - worker: Starts a process that decodes; nil decodes in this one.
  /// - Returns: Nothing of what is not there: a run of before there were samples has none.
  /// - Throws: What is damaged, what the disk refuses, a worker that cannot start.
  public static func make(
    run path: String, radius: Int?, threads: Int, worker: WorkerCommand?
  ) throws -> DuplicateReview {
    let run = RunFolder(path)
    let dropped = try DuplicateSamples(of: run).read()
    var near: [NearMiss] = []
    if let radius {
      near = try NearMisses.find(
        among: try RunPictures(run).keptSignatures(most: NearMisses.mostPictures), radius: radius,
        most: ShardSamples.mostNearMisses, threads: threads)
    }
    let rows = Set(dropped.compactMap(\.sample.drop.survivor))
      .union(near.flatMap { [$0.first, $0.second] })
    let kept = try pictures(of: rows, in: run, worker)
    var review = DuplicateReview(samples: dropped, kept: kept, sizes: try sizes(run))
    review.above = near.compactMap { miss in
      guard let first = kept[miss.first], let second = kept[miss.second] else { return nil }
      return DuplicateReview.Doubt(
        first: first, second: second, distance: miss.distance, difference: miss.difference)
    }
    return review
  }

  /// How many were dropped for each group.
  private static func sizes(_ run: RunFolder) throws -> [String: Int] {
    var sizes: [String: Int] = [:]
    for name in try DurableFile.names(in: run.verdicts) where name.hasSuffix(".parquet") {
      for verdict in try PairTable.read("\(run.verdicts)/\(name)", as: Verdict.init) {
        guard let fate = ShardFate(verdict) else { continue }
        let sample = DuplicateSample(
          row: verdict.row, uid: "", caption: "", url: "", drop: fate.drop,
          survivorUID: fate.survivorUID, source: fate.source)
        sizes[SampleChoice.group(sample), default: 0] += 1
      }
    }
    return sizes
  }

  /// Small pictures of kept rows, from the shards; those that are in none are left out.
  private static func pictures(
    of rows: Set<Int>, in run: RunFolder, _ worker: WorkerCommand?
  ) throws -> [Int: DuplicateReview.Picture] {
    guard !rows.isEmpty else { return [:] }
    let path = TemporaryPath.new()
    let file = try DurableFileWriter(path)
    var places: [(row: Int, caption: String, bytes: ByteRange)] = []
    for name in try DurableFile.names(in: run.shards) where name.hasSuffix(".parquet") {
      guard let chunk = Int(name.dropLast(".parquet".count)),
        let shard = ShardFiles.shard(chunk, in: run.shards)
      else { continue }
      let keys = try PairTable.read("\(run.shards)/\(name)").compactMap { row in
        row["row"]?.integer.flatMap { rows.contains($0) ? $0 : nil }
          .flatMap { number in row["key"]?.text.map { (number, $0) } }
      }
      guard !keys.isEmpty else { continue }
      let reader = try ShardReader(path: shard)
      for (row, key) in keys {
        guard let pair = try reader.pair(key: key) else { continue }
        places.append(
          (row, pair.caption, ByteRange(offset: file.byteCount, length: pair.image.count)))
        try file.write(pair.image)
      }
    }
    try file.commit()
    defer {
      // In the folder of temporary files, which the system clears where this cannot.
      try? DurableFile.remove(path)
    }
    let made = try ThumbnailMaker(worker: worker).thumbnails(of: places.map(\.bytes), in: path)
    return Dictionary(
      zip(places, made).map { place, jpeg in
        (place.row, DuplicateReview.Picture(row: place.row, caption: place.caption, jpeg: jpeg))
      }, uniquingKeysWith: { $1 })
  }
}
