import Foundation
import Testing

/// Whatever operation fails, and whichever use of it: a clear end, and a later run with the same bytes.
@Suite(.serialized) struct FaultTests {
  static let isLong = ProcessInfo.processInfo.environment["PAIRLOOM_LONG"] == "1"
  /// Another seed takes another sample.
  static let seed =
    ProcessInfo.processInfo.environment["PAIRLOOM_FAULT_SEED"].flatMap(UInt64.init) ?? 1

  @Test(
    "a run of which one operation fails, or all from one on, ends clearly and is done later",
    arguments: [
      (2, []),
      // Indexes of looks and of captions, and a plan for all: these pictures look much alike.
      (1, ["dedup=near", "duplicates.caption_similarity=0.9", "duplicates.keep=best"]),
    ] as [(Int, [String])])
  func run(_ sample: Int, _ options: [String]) throws {
    let folder = try TemporaryFolder()
    let web = try FaultWeb(rows: 44, in: folder.path)
    let matrix = try FaultMatrix(
      seam: FaultSeam(in: folder.path), folder: folder.path, list: web.list
    ) { web.run(into: $0, options) }
    let kinds = FaultSeam.Kind.allCases
    // The seam is where the program works: each of these must have been used.
    for kind in kinds { #expect((matrix.counts[.main]?[kind] ?? 0) > 0, "\(kind)") }
    #expect((matrix.counts[.worker]?[.open] ?? 0) > 0)
    let uses =
      Self.isLong ? matrix.all(of: kinds) : matrix.sample(sample, of: kinds, seed: Self.seed)
    let (problems, ended) = try matrix.check(uses)
    for problem in problems { Issue.record("seed \(Self.seed): \(problem)") }
    // Otherwise nothing failed at all.
    #expect(ended > uses.count / 4, "\(ended) of \(uses.count)")
  }

  @Test("a retry of which operations fail leaves the run whole and is done later")
  func retry() throws {
    let folder = try TemporaryFolder()
    let web = try FaultWeb(rows: 44, in: folder.path)
    let before = folder.path + "/before"
    #expect(try Program.run(web.run(into: before)).status == 0)
    web.heal()
    let matrix = try FaultMatrix(
      seam: FaultSeam(in: folder.path), folder: folder.path, list: web.list,
      prepare: { try FileManager.default.copyItem(atPath: before, toPath: $0) },
      command: { ["retry", $0, "--workers", "2"] })
    let kinds: [FaultSeam.Kind] = [.write, .sync, .rename, .open, .sqlite]
    let uses = Self.isLong ? matrix.all(of: kinds) : matrix.sample(1, of: kinds, seed: Self.seed)
    let (problems, _) = try matrix.check(uses)
    for problem in problems { Issue.record("seed \(Self.seed): \(problem)") }
  }

  @Test("nothing in the sources goes around the C library, where the seam is")
  func noWayAround() throws {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../Sources").standardizedFileURL.path
    // System calls without their functions; streams, whose writes stay inside the C library.
    let around = [
      "syscall(", "io_uring", "copy_file_range(", "sendfile(", "splice(", "aio_write(", "fwrite(",
      "fputs(", "fprintf(", "O_DIRECT)", "MAP_SHARED |",
    ]
    var count = 0
    for part in ["Primitives", "Data", "Ledger", "Pipeline", "CLibraries"] {
      for name in try FileManager.default.subpathsOfDirectory(atPath: "\(sources)/\(part)")
      where [".swift", ".c", ".h"].contains(where: name.hasSuffix) {
        let text = try String(contentsOfFile: "\(sources)/\(part)/\(name)", encoding: .utf8)
        for word in around { #expect(!text.contains(word), "\(part)/\(name): \(word)") }
        count += 1
      }
    }
    #expect(count > 200)
  }
}
