import DurableFiles
import Foundation
import JobLedger
import PairDataset
import PipelineCore
import Testing
import URLPipeline

/// What must hold of a run that has ended, whatever happened to its processes.
struct RunFates {
  /// What the folder holds whose bytes follow from the answers alone.
  static let parts = ["shards", "scores", "filtered", "dataset.json"]

  let run: RunFolder
  let rows: Int

  init(_ run: String, rows: Int) {
    self.run = RunFolder(run)
    self.rows = rows
  }

  /// The same files with the same bytes as `other`.
  func expectBytes(of other: String, _ note: String) throws {
    let expected = try contents(of: other, Self.parts)
    // What a stopped process was writing is still its own; `expectNoOrphans` tells of what stays.
    let found = try contents(of: run.path, Self.parts).filter { !$0.key.hasSuffix(".tmp") }
    #expect(expected.keys.contains("dataset.json"))
    #expect(found.keys.sorted() == expected.keys.sorted(), "\(note)")
    for (name, bytes) in expected {
      #expect(found[name] == bytes, "\(name) differs, \(note)")
    }
  }

  /// Every row of the list has one fate, by the tables; what is kept is in the shards, once.
  ///
  /// - Returns: What was dropped, by reason.
  /// - Throws: Where a file cannot be read.
  @discardableResult
  func expectOneFateEach(_ note: String) throws -> [String: Int] {
    var fates: [Int] = []
    var dropped: [String: Int] = [:]
    var keys: [String] = []
    for name in try DurableFile.names(in: run.shards) {
      if name.hasSuffix(".parquet") {
        for row in try PairTable.read("\(run.shards)/\(name)") {
          fates.append(try #require(row["row"]?.integer))
          let status = try #require(row["status"]?.text)
          guard status != "success" else { continue }
          dropped[try #require(row["reason"]?.text), default: 0] += 1
        }
      } else if name.hasSuffix(".tar.lz4") {
        keys += try ShardReader(path: "\(run.shards)/\(name)").keys
      }
    }
    #expect(fates.sorted() == Array(0..<rows), "\(note)")
    #expect(keys.count + dropped.values.reduce(0, +) == rows, "\(dropped), \(note)")
    #expect(Set(keys).count == keys.count, "\(note)")

    var verdicts: [String: Bool] = [:]
    for name in try DurableFile.names(in: "\(run.filtered)/verdicts") {
      for row in try PairTable.read("\(run.filtered)/verdicts/\(name)") {
        let key = try #require(row["key"]?.text)
        #expect(verdicts.updateValue(row["drop"]?.text == nil, forKey: key) == nil, "\(note)")
      }
    }
    #expect(Set(verdicts.keys) == Set(keys), "\(note)")
    let final = try DatasetManifest.read(run.dataset).shards.flatMap {
      try ShardReader(path: run.path + "/" + $0.file).keys
    }
    #expect(final.count == Set(final).count, "\(note)")
    #expect(Set(final) == Set(verdicts.filter(\.value).keys), "\(note)")
    return dropped
  }

  /// Nothing is left of the processes that died: no temporary file, no picture between two stages.
  ///
  /// Where the program can, it is asked to clear away what no run does.
  func expectNoOrphans(_ note: String) throws {
    if try Program.run(["--help"]).output.contains("\n  gc ") {
      let cleaning = try Program.run(["gc", run.path])
      #expect(cleaning.status == 0, "\(cleaning.error), \(note)")
    }
    let verified = try Program.run(["verify", run.path])
    #expect(verified.status == 0, "\(verified.output)\(verified.error), \(note)")
    let names = try FileManager.default.subpathsOfDirectory(atPath: run.path)
    #expect(names.filter { $0.hasSuffix(".tmp") || $0.hasSuffix(".bytes") } == [], "\(note)")
  }

  /// The ledger's attempts by outcome.
  func attempts() async throws -> [JobAttempt.Outcome: [JobAttempt]] {
    Dictionary(
      grouping: try await SQLiteLedger(path: run.ledger).history(), by: \.outcome)
  }

  /// Jobs that are leased.
  func leased() async throws -> Int {
    try await SQLiteLedger(path: run.ledger).tally().values.reduce(0) { $0 + ($1[.leased] ?? 0) }
  }
}
