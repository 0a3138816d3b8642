import DurableFiles
import Foundation
import PipelineCore
import Testing

/// `pairloom gc` as a user runs it.
@Suite(.serialized) struct GcCommandTests {
  @Test("a dry run names what goes and removes nothing; the real one frees it and leaves the rest")
  func cleans() throws {
    let folder = try TemporaryFolder()
    let (run, _) = try MaintenanceCommandTests.run(in: folder)
    for (file, size) in [("decoded/00001.bytes", 5_000), ("notes.txt", 10)] {
      try DurableFile.write([UInt8](repeating: 1, count: size), to: "\(run)/\(file)")
    }
    let dry = try Program.run(["gc", run, "--dry-run"])
    #expect(dry.status == 0)
    #expect(
      dry.lines.prefix(5) == [
        "bodies and pictures of finished chunks: 1 file, 5 kB", "  decoded/00001.bytes",
        "would free 5 kB", "left, as Pairloom has not made them: 1 file", "  notes.txt",
      ])
    #expect(dry.lines.last?.hasPrefix("ledger: ") == true)
    #expect(DurableFile.exists(run + "/decoded/00001.bytes"))
    let facts = try JSONValue.parse(Array(try Program.run(["gc", run, "--json"]).output.utf8))
    #expect(facts["bytes"]?.integer == 5_000)
    #expect(facts["removed"]?["intermediates"]?["files"]?.integer == 1)
    #expect(facts["dry_run"] == .bool(false))
    #expect(!DurableFile.exists(run + "/decoded/00001.bytes"))
    #expect(DurableFile.exists(run + "/notes.txt"))
    #expect(try Program.run(["gc", run]).lines.first == "nothing to remove")
    let none = try Program.run(["gc", folder.path])
    #expect(none.status == 2 && none.error.contains("no run here"))
  }
}
