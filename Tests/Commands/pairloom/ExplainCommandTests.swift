import FaultServer
import Foundation
import PipelineCore
import Testing

/// `pairloom explain` and `pairloom export` as a user runs them.
@Suite(.serialized) struct ExplainCommandTests {
  /// Twelve pictures, every third of which is not there.
  private struct Setting {
    let folder: TemporaryFolder
    let server: AnswerServer
    let run: String

    init() throws {
      folder = try TemporaryFolder()
      let picture = try ImageFile.png()
      server = try AnswerServer { path in
        guard let number = Int(path.dropFirst()), number % 3 != 0 else { return .init(404) }
        return .init(200, body: picture)
      }
      run = folder.path + "/run"
      let lines = (0..<12).map { "\(server.url("/\($0)")),\"caption \u{1B}[31m\($0)\",n\($0)\n" }
      try ("url,caption,note\n" + lines.joined()).write(
        toFile: folder.path + "/list.csv", atomically: true, encoding: .utf8)
      let arguments =
        ["run", "urls", "--folder", run]
        + [
          "input=\(folder.path)/list.csv", "allow_addresses=127.0.0.0/8", "chunk_rows=5",
          "image_size=24", "download.attempts=1", "dedup=off",
        ].flatMap { ["--set", $0] }
      #expect(try Program.run(arguments).status == 0)
    }
  }

  private enum ImageFile {
    /// A picture of one pixel: the smallest PNG that there is.
    static func png() throws -> [UInt8] {
      let base64 =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
      return Array(try #require(Data(base64Encoded: base64)))
    }
  }

  @Test("the last word comes first, for a person and for a program")
  func tells() throws {
    let setting = try Setting()
    let kept = try Program.run(["explain", setting.run, "4"])
    #expect(kept.status == 0)
    #expect(kept.lines[0].hasPrefix("kept: shards/00000.tar.lz4, key "))
    #expect(kept.output.contains("  url            \(setting.server.url("/4"))\n"))
    #expect(kept.output.contains("  note           n4\n"))
    // A caption must not steer the terminal.
    #expect(!kept.output.contains("\u{1B}"))
    let gone = try Program.run(["explain", setting.run, setting.server.url("/3"), "--json"])
    #expect(gone.status == 0)
    let object = try JSONValue.parse(Array(gone.output.utf8))
    #expect(object["count"] == .int(1))
    guard case .array(let rows) = object["rows"] else {
      Issue.record("\(gone.output)")
      return
    }
    #expect(rows[0]["fate"] == .string("dropped"))
    #expect(rows[0]["reason"] == .string("http_status"))
    #expect(rows[0]["conclusion"] == .string("dropped in download: http_status 404; final"))
  }

  @Test("nothing found ends with 1 and help, wrong usage with 2")
  func mistakes() throws {
    let setting = try Setting()
    let cases: [([String], Int32, String)] = [
      (["12"], 1, "there is no row 12: the list has 12 rows, 0 to 11"),
      (["http://example.org/"], 1, "not in the list at all"),
      (["5", "--as", "number"], 2, "give row, url, uid or key"),
      (["x", "--as", "row"], 2, "x is no row"),
    ]
    for (arguments, status, words) in cases {
      let result = try Program.run(["explain", setting.run] + arguments)
      #expect(result.status == status, "\(arguments)")
      #expect(result.error.contains(words), "\(result.error)")
    }
    #expect(try Program.run(["explain", setting.folder.path, "1"]).status == 2)
  }

  @Test("an export has the rows that were asked for, and says what they are")
  func export() throws {
    let setting = try Setting()
    let file = setting.folder.path + "/pairs.parquet"
    let all = try Program.run(["export", setting.run, "--out", file])
    #expect(all.status == 0, "\(all.error)")
    #expect(all.output.hasPrefix("\(file): 12 rows, "))
    #expect(all.output.hasSuffix("the run's rows: 8 kept, 4 dropped\n"))
    let some = try Program.run([
      "export", setting.run, "--out", file, "--where", "status = 404", "--columns", "url, note",
      "--compression", "none", "--json",
    ])
    let object = try JSONValue.parse(Array(some.output.utf8))
    #expect(object["rows"] == .int(4))
    #expect(object["columns"] == .int(2))
    #expect(object["fates"]?["kept"] == .int(8))
    for (arguments, words) in [
      (["--columns", "capton"], "did you mean caption?"), (["--where", "stats = 1"], "stats"),
      (["--compression", "rar"], "zstd, snappy, gzip or none"),
    ] {
      let result = try Program.run(["export", setting.run, "--out", file + "2"] + arguments)
      #expect(result.status == 2)
      #expect(result.error.contains(words), "\(result.error)")
      #expect(!FileManager.default.fileExists(atPath: file + "2"))
    }
  }
}
