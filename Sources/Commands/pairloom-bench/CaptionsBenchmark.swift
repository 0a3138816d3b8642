import ArgumentParser
import CaptionMatching
import Foundation
import PipelineCore
import WorkerThreads

/// `captions`: how fast captions are counted and near ones found.
struct CaptionsBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "captions",
    abstract: "Judge captions against an index on disk, chunk by chunk.",
    discussion: """
      Two lines. captions_equal: captions are counted, and equal ones dropped. captions_near: near ones \
      too, by MinHash. Each chunk is looked up and what it keeps is appended durably. rows_per_s and \
      rows_per_cpu_s are over the whole index; file_mb and memory in 2²⁰ bytes: peak_rss_mb with the pages of the file that \
      are mapped, and anonymous_mb without them, in the end. The captions are made of words as frequent as \
      in Zipf's law, a fifth of them as before and a tenth with one word changed, or read from a file.
      """)

  @Option(help: "Captions to make.")
  var rows = 1_000_000

  @Option(help: "Captions of a chunk.")
  var chunk = 1000

  @Option(help: "The least Jaccard similarity of near captions.")
  var similarity = 0.8

  @Option(help: "A file with one caption in each line, in place of made ones.")
  var captions: String?

  @Option(help: "Threads that look up a chunk.")
  var threads = Parallel.coreCount

  @Flag(help: "Only the first line.")
  var equal = false

  @Flag(help: "Only the second line.")
  var near = false

  func validate() throws {
    try requirePositive(rows, "--rows")
    try requirePositive(chunk, "--chunk")
    try requirePositive(threads, "--threads")
    guard SimilarityBands.similarities.contains(similarity) else {
      throw ValidationError(
        "--similarity is \(similarity); give one of \(SimilarityBands.similarities).")
    }
  }

  func run() throws {
    let lines = try captions.map {
      try String(contentsOfFile: $0, encoding: .utf8).split(separator: "\n").map(String.init)
    }
    let temporary = try TemporaryFolder()
    defer { temporary.remove() }
    // The smaller one first: the peak of memory only ever rises.
    if !near { try measure("captions_equal", similarity: nil, lines: lines, in: temporary.path) }
    if !equal {
      try measure("captions_near", similarity: similarity, lines: lines, in: temporary.path)
    }
  }

  private func measure(
    _ name: String, similarity: Double?, lines: [String]?, in folder: String
  ) throws {
    let path = "\(folder)/\(name).index"
    let index = try CaptionIndex(path, similarity: similarity, isWritable: true)
    let count = lines?.count ?? rows
    let made = MadeCaptions()
    var (seconds, processor) = (0.0, 0.0)
    var (equal, near) = (0, 0)
    for start in stride(from: 0, to: count, by: chunk) {
      let range = start..<min(start + chunk, count)
      let part = lines.map { Array($0[range]) } ?? range.map(made.caption)
      let startOfProcessor = Rounds.Clock.processor.now
      seconds += try Rounds.Clock.wall.seconds {
        let batch = index.batch(of: part, threads: threads)
        for place in part.indices {
          let history = batch.history(at: place)
          if history.count > 0 {
            equal += 1
          } else if history.near != nil {
            near += 1
          } else {
            batch.keep(place, row: start + place)
          }
        }
        try index.append(batch, batch: start / chunk)
      }
      processor += Rounds.Clock.processor.now - startOfProcessor
    }
    let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    Figure(
      name: name,
      values: [
        .init("rows", .int(count)), .init("equal", .int(equal)), .init("near", .int(near)),
        .init("kept", .int(count - equal - near)),
        .init("similarity", similarity.map { .rounded($0) } ?? .null),
        .init("rows_per_s", .rounded(Double(count) / seconds)),
        .init("rows_per_cpu_s", .rounded(Double(count) / processor)),
        .init("file_mb", .rounded(Double(bytes) / 0x1p20)),
        .init("peak_rss_mb", .rounded(try MemoryStatus.mebibytes("VmHWM"))),
        .init("anonymous_mb", .rounded(try MemoryStatus.mebibytes("RssAnon"))),
      ], threads: threads, rounds: Rounds(clock: .wall, seconds: [seconds])
    ).print()
  }
}
