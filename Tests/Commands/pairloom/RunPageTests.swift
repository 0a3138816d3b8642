import DurableFiles
import FaultServer
import Foundation
import SceneWorld
import Testing

/// The page that `pairloom run` leaves in its folder.
@Suite(.serialized) struct RunPageTests {
  @Test("a run's page shows its duplicates; the report command writes the same")
  func page() throws {
    let folder = try TemporaryFolder()
    let world = DemoWorld(rows: 6, seed: 11)
    let server = try AnswerServer { path in
      guard let row = Int(path.split(separator: "/").first ?? ""),
        let picture = try? world.picture(of: row)
      else { return .init(404) }
      return .init(200, body: picture)
    }
    // Pictures 0 and 1 come three times each, in several chunks.
    let list = folder.path + "/list.csv"
    let lines = (0..<10).map { row in
      let picture = row < 6 ? row % 2 : row - 4
      return "\(server.url("/\(picture)/\(row)")),<b>caption</b> \(row)\n"
    }
    try DurableFile.write("url,caption\n" + lines.joined(), to: list)
    func run(_ name: String, _ kind: String, workers: Int) throws -> Program.Result {
      try Program.run(
        ["run", "urls", "--folder", folder.path + "/" + name, "--workers", "\(workers)"]
          + [
            "input=\(list)", "allow_addresses=127.0.0.0/8", "chunk_rows=3", "dedup=\(kind)",
            "image_size=32",
          ].flatMap { ["--set", $0] })
    }
    #expect(try run("near", "near", workers: 1).status == 0)
    let near = folder.path + "/near/report.html"
    let page = String(decoding: try DurableFile.read(near), as: UTF8.self)
    #expect(page.contains("The largest groups") && page.contains("<b>kept: row 0</b>"))
    #expect(page.contains("equal bytes"))
    #expect(page.contains("&lt;b&gt;caption&lt;/b&gt; 2") && !page.contains("<b>caption"))
    // Two survivors, and for each of them the copies.
    #expect(page.components(separatedBy: "src=\"data:image/jpeg").count >= 1 + 2 + 4)

    #expect(try run("two", "near", workers: 2).status == 0)
    #expect(try DurableFile.read(folder.path + "/two/report.html") == DurableFile.read(near))
    let other = folder.path + "/other.html"
    let told = try Program.run(["dedup", "report", folder.path + "/near", "--out", other])
    #expect(told.status == 0 && told.lines == [other], "\(told.error)")
    #expect(try DurableFile.read(other) == DurableFile.read(near))
    let wide = try Program.run(["dedup", "report", folder.path + "/near", "--radius", "17"])
    #expect(wide.status == 2 && wide.error.contains("0 to 16"), "\(wide.error)")

    #expect(try run("exact", "exact", workers: 1).status == 0)
    let exact = String(
      decoding: try DurableFile.read(folder.path + "/exact/report.html"), as: UTF8.self)
    #expect(exact.contains("The largest groups"))
    #expect(try run("off", "off", workers: 1).status == 0)
    let off = String(
      decoding: try DurableFile.read(folder.path + "/off/report.html"), as: UTF8.self)
    #expect(off.contains("From rows to pairs") && !off.contains("The largest groups"))

    let refused = try Program.run(["dedup", "report", folder.path + "/none"])
    #expect(refused.status != 0 && refused.error.contains("there is no run here"))
    let forgotten = try Program.run(["forget", folder.path + "/near", "--url", server.url("/0/0")])
    #expect(forgotten.status == 0, "\(forgotten.error)")
    #expect(!DurableFile.exists(near))
    #expect(try run("near", "near", workers: 1).status == 0)
    let after = String(decoding: try DurableFile.read(near), as: UTF8.self)
    #expect(after.contains("<b>kept: row 1</b>") && !after.contains("row 0<"))
  }

  @Test("a page that cannot be written is told of, and fails no run")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let list = folder.path + "/list.csv"
    try DurableFile.write("url,caption\nnothing,a\n", to: list)
    let run = folder.path + "/run"
    // A folder in its place.
    try DurableFile.makeFolder(run)
    try DurableFile.makeFolder(run + "/report.html")
    let told = try Program.run(["run", "urls", "--folder", run, "--set", "input=\(list)"])
    #expect(told.status == 0, "\(told.error)")
    #expect(told.error.contains("warning: \(run)/report.html was not written, as "))
  }
}
