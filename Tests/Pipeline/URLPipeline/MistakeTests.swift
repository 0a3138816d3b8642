import DurableFiles
import Foundation
import IngestStage
import JobLedger
import PipelineCore
import Testing
import URLPipeline

/// Mistakes on the command line: found before the folder is bound, told by the recipe's keys.
@Suite(.serialized) struct MistakeTests {
  @Test(
    "a wrong option is refused by its key and value, and the corrected command works",
    arguments: [
      ("download.ca_file=/no/such.pem", "download.ca_file", "/no/such.pem"),
      ("download.proxy=ftp://a.test:1", "download.proxy", "ftp://a.test:1"),
      ("download.source_address=198.51.100.7", "download.source_address", "198.51.100.7"),
      ("download.headers=Host: b.test", "download.headers", "Host: b.test"),
      ("download.agent_token=a b", "download.agent_token", "a b"),
      ("deny_hosts=a.test,no host", "deny_hosts", "no host"),
      ("deny_hosts=@/no/hosts.txt", "deny_hosts", "@/no/hosts.txt"),
      ("allow_hosts=@/no/hosts.txt", "allow_hosts", "@/no/hosts.txt"),
      ("allow_addresses=127.0.0.0/33", "allow_addresses", "127.0.0.0/33"),
      ("hash_blocklist=/no/hashes.txt", "hash_blocklist", "/no/hashes.txt"),
    ])
  func options(_ option: String, key: String, value: String) async throws {
    let web = try HealingWeb()
    let list = try web.list(["/ok/1"])
    do {
      _ = try await web.run(list, into: "run", [option]).run()
      Issue.record("\(option) was taken")
    } catch let error as RecipeError {
      let words = "\(error)"
      #expect(words.hasPrefix(key + ": ") && words.contains(value), "\(words)")
      for property in ["caFile", "sourceAddress", "agentToken", "denyHosts", "allowHosts"] {
        #expect(!words.contains(property), "\(words)")
      }
    }
    #expect(!DurableFile.exists(web.folder + "/run"))
    #expect(try await web.run(list, into: "run").run().status.pairs("kept") == 1)
  }

  @Test("a later file that is no list of URLs is refused before the folder is bound")
  func laterFile() async throws {
    let web = try HealingWeb()
    let first = try web.list(["/ok/1"], name: "a")
    let second = web.folder + "/b.csv"
    try DurableFile.write("link,caption\nhttp://a.test/,x\n", to: second)
    await #expect(
      throws: ListError.noColumn(
        path: second, wanted: ["url", "URL"], found: ["link", "caption"])
    ) {
      try await web.run("\(first),\(second)", into: "run").run()
    }
    #expect(!DurableFile.exists(web.folder + "/run"))
    #expect(try await web.run(first, into: "run").run().status.pairs("kept") == 1)
  }

  @Test("a list without the column of boxes to blur is refused before the folder is bound")
  func boxes() async throws {
    let web = try HealingWeb()
    let list = web.folder + "/boxes.csv"
    try DurableFile.write("url,faces\nhttp://a.test/,[]\n", to: list)
    await #expect(
      throws: ListError.noColumn(path: list, wanted: ["face"], found: ["url", "faces"])
    ) {
      try await web.run(list, into: "run", ["bbox_column=face"]).run()
    }
    #expect(!DurableFile.exists(web.folder + "/run"))
  }

  @Test("a list that breaks off midway is given up at once, and its words are kept")
  func brokenList() async throws {
    let web = try HealingWeb()
    let list = web.folder + "/list.json"
    // An array that ends within its second row.
    try DurableFile.write("[{\"url\": \"\(web.server.url("/ok/1"))\"}, {\"url\": ", to: list)
    let outcome = try await web.run(list, into: "run").run()
    #expect(!outcome.isComplete)
    let job = try #require(outcome.status.quarantined.first)
    #expect(job.job == "ingest 0")
    #expect(job.error?.contains("the list is damaged or cut at byte") == true, "\(job)")
    let ledger = try SQLiteLedger(path: RunFolder(web.folder + "/run").ledger)
    #expect(try await ledger.history(of: JobName(stage: "ingest", chunk: 0)).count == 1)
  }
}
