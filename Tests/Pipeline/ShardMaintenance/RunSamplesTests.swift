import Deduplication
import DurableFiles
import Foundation
import PipelineCore
import ShardMaintenance
import Testing
import URLPipeline

/// The dropped pictures that a run keeps to be looked at.
@Suite(.serialized) struct RunSamplesTests {
  static let rows = DuplicateRunTests.rows
  static let near = DuplicateRunTests.near

  @Test("they tell what the verdicts tell, the same for any workers")
  func kept() async throws {
    let web = try DuplicateWeb()
    try await web.run("one", Self.rows, Self.near)
    let folder = web.runFolder("one")
    let verdicts = try web.verdicts("one")
    let samples = DuplicateSamples(of: folder)
    let shown = try samples.read().map(\.sample)
    // Of so few all are there.
    #expect(
      shown.map(\.row) == Self.rows.indices.filter { !DuplicateRunTests.distinct.contains($0) })
    for sample in shown {
      #expect(
        sample.drop == verdicts[sample.row]?.drop && sample.caption == Self.rows[sample.row].caption
      )
      #expect(sample.difference == verdicts[sample.row]?.match?.difference)
    }
    try await web.run("three", Self.rows, workers: 3, Self.near)
    for chunk in try samples.chunks() {
      #expect(
        try DurableFile.read(samples.path(chunk))
          == DurableFile.read(DuplicateSamples(of: web.runFolder("three")).path(chunk)))
    }
  }

  @Test("where they cannot be kept the run says so, and its files have the same bytes")
  func inTheWay() async throws {
    let web = try DuplicateWeb()
    #expect(try await web.run("calm", Self.rows, Self.near).warnings == [])
    let folder = web.runFolder("run")
    try DurableFile.makeFolder(folder.path)
    try DurableFile.makeFolder(folder.duplicates)
    try DurableFile.write([1], to: folder.duplicateSamples)
    let outcome = try await web.run("run", Self.rows, Self.near)
    #expect(outcome.isComplete && outcome.warnings.count == 1)
    // Five chunks of six rows.
    #expect(outcome.warnings[0].hasPrefix("5 chunks have no pictures of duplicates"))
    #expect(outcome.warnings[0].contains(folder.duplicateSamples))
    #expect(try web.files("run") == web.files("calm"))
  }

  @Test("what is forgotten is not shown, by itself or by its copies; the others stay")
  func forgotten() async throws {
    let web = try DuplicateWeb()
    try await web.run("run", Self.rows, Self.near + ["keep=[decoded]"])
    let folder = web.runFolder("run")
    let samples = DuplicateSamples(of: folder)
    func shown() throws -> [Int] { try samples.read().map(\.sample.row) }
    // Rows 6, 12 … are copies of row 0, and rows 9, 15 … of row 3.
    #expect(try shown() == [6, 9, 12, 15, 18, 21, 24, 27])
    try DurableFile.write("page", to: folder.report)
    func forget(_ row: Int) async throws {
      let request = try ForgetRequest(.url, web.server.url(Self.rows[row].path))
      try await Forgetter.forget([request], in: folder, now: 5)
    }
    try await forget(0)
    #expect(try shown() == [9, 15, 21, 27])
    #expect(!DurableFile.exists(folder.report))
    try await forget(15)
    #expect(try shown() == [9, 21, 27])
    #expect(try await RunVerifier.verify(folder, threads: 2).problems == [])
    // Judged anew with the pictures still there, none comes back.
    let run = try web.pipeline("run", Self.rows, Self.near + ["keep=[decoded]"])
    _ = try await run.redo(.deduplicate)
    _ = try await run.run()
    let again = try samples.read().map(\.sample)
    #expect(again.allSatisfy { $0.drop.survivor != 0 && $0.row != 15 && $0.row != 0 })
  }

  @Test("damaged indexes and samples are named, and mended; strays are told of")
  func damaged() async throws {
    let web = try DuplicateWeb()
    try await web.run("run", Self.rows, Self.near)
    let folder = web.runFolder("run")
    let index = folder.duplicates + "/pictures.index"
    let good = try DurableFile.read(index)
    // The last byte that is in use belongs to a segment.
    var bad = good
    let place = try #require(bad.lastIndex { $0 != 0 })
    bad[place] ^= 0x10
    try DurableFile.write(bad, to: index)
    let samples = DuplicateSamples(of: folder)
    let chunk = try #require(try samples.chunks().first)
    try DurableFile.write(
      try DurableFile.read(samples.path(chunk)).prefix(700) + [9], to: samples.path(chunk))
    let report = try await RunVerifier.verify(folder, threads: 2)
    let name = "duplicates/samples/\(RunFolder.digits(chunk)).tar"
    #expect(report.problems.map(\.file) == ["duplicates/pictures.index", name])
    #expect(report.problems.allSatisfy { $0.canBeRepaired })
    let outcome = try await RunRepairer.repair(report, in: folder)
    #expect(outcome.mustIndex && outcome.mustResume && outcome.reopened == [])
    #expect(try !samples.chunks().contains(chunk))
    _ = try await web.pipeline("run", Self.rows, Self.near).run()
    #expect(try DurableFile.read(index) == good)
    #expect(try await RunVerifier.verify(folder, threads: 2).problems == [])

    try DurableFile.write([1], to: folder.duplicates + "/notes.txt")
    try DurableFile.write([1], to: folder.duplicateSamples + "/99999.tar")
    #expect(
      try await RunVerifier.verify(folder, threads: 2).problems.map(\.file)
        == ["duplicates/samples/99999.tar"])
    let cleaned = try await RunCleaner.clean(folder)
    #expect(cleaned.foreign.sorted() == ["duplicates/notes.txt", "duplicates/samples/99999.tar"])
    #expect(try DurableFile.read(index) == good)
  }
}
