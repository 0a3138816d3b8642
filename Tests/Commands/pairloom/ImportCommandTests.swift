import DurableFiles
import Foundation
import PipelineCore
import Testing

/// `pairloom import`, as a user runs it.
@Suite struct ImportCommandTests {
  /// A run in img2dataset's layout, whose shards stand for that program's.
  private static func source(in folder: String) throws -> String {
    let origin = try DemoOrigin(rows: 60, seed: 5, folder: folder + "/origin")
    let run = try Program.run([
      "run", "urls", "--folder", folder + "/own", "--set", "input=\(origin.list)", "--set",
      "allow_addresses=127.0.0.0/8", "--set", "layout=img2dataset", "--set", "chunk_rows=20",
      "--set", "download.attempts=1", "--set", "dedup=exact", "--set", "resize_mode=border",
      "--set", "image_size=32",
    ])
    #expect(run.status == 0, "\(run.error)")
    return folder + "/own/shards"
  }

  @Test("a folder becomes a run that verify, status, ls and retry take for any other")
  func commands() throws {
    let folder = try TemporaryFolder()
    let source = try Self.source(in: folder.path)
    let run = folder.path + "/run"
    let imported = try Program.run(["import", run, "--from", "img2dataset", source])
    #expect(imported.status == 0, "\(imported.error)")
    #expect(imported.output.contains("img2dataset's default, not told: "))
    #expect(imported.output.contains("may be asked for again"))
    let verified = try Program.run(["verify", run])
    #expect(verified.status == 0, "\(verified.output)")
    let status = try Program.run(["status", run, "--json"])
    let own = try Program.run(["status", folder.path + "/own", "--json"])
    let (mine, theirs) = (
      try JSONValue.parse(Array(status.output.utf8)), try JSONValue.parse(Array(own.output.utf8))
    )
    // One message of img2dataset's stands for several of our reasons: the sums are the same.
    func dropped(_ status: JSONValue) -> Int? {
      status["failures"]?.members.reduce(0) { $0 + ($1.value.integer ?? 0) }
    }
    #expect(dropped(mine) == dropped(theirs))
    #expect(mine["transient"] == theirs["transient"])
    #expect(try Program.run(["ls", run + "/shards/00000.tar"]).status == 0)
    #expect(try Program.run(["retry", run, "--dry-run"]).status == 0)
    // A second import is refused, and so is what is no folder of shards.
    let second = try Program.run(["import", run, "--from", "img2dataset", source])
    #expect(second.status == 2 && second.error.contains("there is a run here already"))
    let nothing = try Program.run(["import", run + "2", "--from", "img2dataset", folder.path])
    #expect(nothing.status == 2 && nothing.error.contains("there are no shards"))
    #expect(try Program.run(["import", run + "2", "--from", "other", source]).status == 2)
  }

  @Test("--json tells all of it, and a killed import is repeated by the same command")
  func repetition() throws {
    let folder = try TemporaryFolder()
    let source = try Self.source(in: folder.path)
    let run = folder.path + "/run"
    let command = ["import", run, "--from", "img2dataset", source, "--json", "--copy"]
    for delay in [0.001, 0.01, 0.03, 0.06] { _ = try Program.runAndKill(command, after: delay) }
    var last = try Program.run(command)
    if last.status == 2 {
      // The last but one had come to its end.
      #expect(DurableFile.exists(run + "/ledger.sqlite"))
      last = try Program.run(
        ["import", run + "2", "--from", "img2dataset", source, "--json", "--copy"])
    }
    #expect(last.status == 0, "\(last.error)")
    let json = try JSONValue.parse(Array(last.output.utf8))
    #expect(json["was_ended"] == .bool(true) || json["rows"]?.integer == 60)
    #expect(json["linked"]?.integer == 0)
    #expect(try Program.run(["verify", run]).status == 0)
  }
}
