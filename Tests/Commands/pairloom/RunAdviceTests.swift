import Foundation
import Testing

/// What `pairloom run` says at its end about the rows that it lost.
@Suite(.serialized) struct RunAdviceTests {
  /// Runs a list to its end; the folder is `run` beside it.
  static func run(_ list: String, in folder: String, _ settings: [String] = []) throws
    -> Program.Result
  {
    let path = folder + "/list.csv"
    try list.write(toFile: path, atomically: true, encoding: .utf8)
    return try Program.run(
      ["run", "urls", "--folder", folder + "/run"]
        + (["input=\(path)", "download.attempts=1"] + settings).flatMap { ["--set", $0] })
  }

  @Test(
    "a run that kept nothing names the commonest reason and what to do",
    arguments: [
      ("http://127.0.0.1:9/", "", "address_refused", "allow_addresses=BLOCK"),
      ("http://a.example.org/", "deny_hosts=.example.org", "host_denied", "deny_hosts"),
      ("http://a.invalid/", "", "no_such_host", "`pairloom doctor`"),
      ("no url ", "", "bad_url", "url_column=NAME"),
    ])
  func nothingKept(_ url: String, setting: String, reason: String, remedy: String) throws {
    let folder = try TemporaryFolder()
    let result = try Self.run(
      "url\n\(url)1\n\(url)2\n\(url)3\n", in: folder.path, setting.isEmpty ? [] : [setting])
    #expect(result.status == 0, "\(result.error)")
    let line = result.error.split(separator: "\n").first { $0.hasPrefix("nothing was kept") }
    #expect(line?.hasPrefix("nothing was kept, 3 for \(reason): ") == true, "\(result.error)")
    #expect(line?.contains(remedy) == true, "\(result.error)")
  }

  @Test("rejected rows are told by the first of them, and an empty list says that it is empty")
  func rejects() throws {
    let folder = try TemporaryFolder()
    let result = try Self.run("url,x\nhttp://127.0.0.1:9/,1\nhttp://a.test/\n,\n", in: folder.path)
    #expect(
      result.error.contains(
        "1 row of the list could not be read; the first: \(folder.path)/list.csv, line 3: 1 fields "
          + "where the header has 2. All are in \(folder.path)/run/rejects.parquet\n"),
      "\(result.error)")
    let empty = try TemporaryFolder()
    let none = try Self.run("url\n", in: empty.path)
    #expect(none.status == 0)
    #expect(none.error.contains("the list is empty: it has no row\n"), "\(none.error)")
  }
}
