import Foundation
import IngestStage
import PipelineCore
import Testing

/// Whether the tests that take minutes are asked for.
let isLong = ProcessInfo.processInfo.environment["PAIRLOOM_LONG"] == "1"

/// A list as a crawl makes them: 1 % of its rows have the URL of an earlier one.
func writeLongList(rows: Int, to path: String) throws {
  try Data().write(to: URL(fileURLWithPath: path))
  let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  var text = "url,caption,width,height\n"
  for row in 0..<rows {
    let name = row % 100 == 99 ? row - 50 : row
    text += "https://img\(name % 9_973).example.org/photos/\(name)/large.jpg?size=1024,"
    text +=
      row % 10 == 0 ? "\"A picture, number \(row), of \"\"it\"\"\"" : "A picture of number \(row)"
    text += ",\(row % 4_000),\(row % 3_000)\n"
    if text.utf8.count > 1 << 20 {
      try file.write(contentsOf: Data(text.utf8))
      text = ""
    }
  }
  try file.write(contentsOf: Data(text.utf8))
  try file.close()
}

/// Ingests a long list in this process and prints what it took.
func ingestLongList(_ rows: Int, in folder: String) async throws {
  let list = folder + "/x.csv"
  try writeLongList(rows: rows, to: list)
  let run = RunFolder(folder + "/run")
  try run.make()
  let before = try peakKiB()
  let start = ContinuousClock.now
  let cpuStart = clock()
  let stage = IngestStage(options: IngestOptions(input: list, chunkRows: 1_000))
  let report = try await stage.run(
    Chunk(number: 0, attempt: 1), in: StageContext(folder: run) { _ in [] })
  let seconds = (ContinuousClock.now - start) / .seconds(1)
  let cpu = Double(clock() - cpuStart) / Double(CLOCKS_PER_SEC)
  let peak = try peakKiB()
  #expect(report.facts["rows"] == rows)
  #expect(report.dropped["duplicate_url"] == rows / 100)
  print(
    "ingest: \(rows) rows, \(Int(Double(rows) / seconds)) rows/s, \(Int(Double(rows) / cpu)) rows/CPU s, peak \(peak >> 10) MiB"
      + " (\(before >> 10) MiB before)")
  #expect(peak < 300 << 10, "KiB of peak memory")
}

/// The most memory that this process has had since it was started.
func peakKiB() throws -> Int {
  let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
  return try #require(line?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
}

@Suite(.serialized) struct LongListTests {
  @Test(
    "a list of millions of rows is ingested in 300 MiB",
    arguments: isLong ? [2_000_000, 10_000_000] : [2_000_000])
  func bounded(rows: Int) async throws {
    let fixture = try ListFixture()
    defer { fixture.remove() }
    let path = fixture.path
    let child = await #expect(
      processExitsWith: .success, observing: [\.standardOutputContent]
    ) { [path = path as String, rows = rows as Int] in
      try await ingestLongList(rows, in: path)
    }
    // What the child measured.
    let output = String(decoding: child?.standardOutputContent ?? [], as: UTF8.self)
    for line in output.split(separator: "\n") where line.hasPrefix("ingest:") { print(line) }
  }
}
