import DurableFiles
import Foundation
import JobLedger
import PipelineCore
import Testing
import URLPipeline

/// Files that a run's options name: a later command finds them, and finds them as they were.
@Suite(.serialized) struct NamedFilesTests {
  let web: HealingWeb
  let folder: String
  let hosts: String
  let hashes: String

  init() throws {
    web = try HealingWeb()
    folder = web.folder + "/run"
    hosts = web.folder + "/deny.txt"
    hashes = web.folder + "/hashes.txt"
    try DurableFile.write("denied.test\n", to: hosts)
    try DurableFile.write(String(repeating: "ab", count: 32) + "\n", to: hashes)
  }

  /// The keys that a retry with `overrides` is refused for; none where it is not.
  func refused(_ overrides: [String] = []) async throws -> [String] {
    let recipe = try await PipelineRun.recipe(of: folder, overrides: overrides)
    return try await differences {
      _ = try await PipelineRun(recipe: recipe, folder: folder, workers: 1).retry(where: "0")
    }
  }

  func differences(_ body: () async throws -> Void) async throws -> [String] {
    do { try await body() } catch let error as ChangedOptionsError {
      return error.differences.map(\.key)
    }
    return []
  }

  @Test("a retry is refused lists that the run did not have, and none of those that it had")
  func others() async throws {
    let list = try web.list(["/ok/1", "/heal/2"])
    _ = try await web.run(list, into: "run").run()
    #expect(try await refused(["hash_blocklist=\(hashes)"]) == ["hash_blocklist"])
    #expect(try await refused(["deny_hosts=@\(hosts)"]) == ["deny_hosts"])
    #expect(try await refused(["download.concurrency=7"]).isEmpty)

    let options = ["hash_blocklist=\(hashes)", "deny_hosts=[a.test, @\(hosts)]"]
    // Out of the way, not removed: the file of origins may still be closing.
    try FileManager.default.moveItem(atPath: folder, toPath: folder + ".before")
    _ = try await web.run(list, into: "run", options).run()
    #expect(try await refused().isEmpty)
    #expect(try await refused(["hash_blocklist=null"]) == ["hash_blocklist"])
    #expect(try await refused(["deny_hosts=[a.test]"]) == ["deny_hosts"])
    // The same files in another place.
    let place = web.folder + "/moved"
    try DurableFile.makeFolder(place)
    for file in [hosts, hashes] {
      try FileManager.default.copyItem(
        atPath: file, toPath: place + file.dropFirst(web.folder.count))
    }
    let moved = ["hash_blocklist=\(place)/hashes.txt", "deny_hosts=[a.test, @\(place)/deny.txt]"]
    #expect(try await refused(moved).isEmpty)
  }

  @Test("a list of hosts or hashes that has changed is refused, by retry and by run")
  func changed() async throws {
    let list = try web.list(["/ok/1", "/heal/2"])
    let options = ["hash_blocklist=\(hashes)", "deny_hosts=[@\(hosts)]", "allow_hosts=127.0.0.1"]
    _ = try await web.run(list, into: "run", options).run()
    try DurableFile.write("other.test\n", to: hosts)
    #expect(try await refused() == ["deny_hosts (SHA-256)"])
    try DurableFile.write(String(repeating: "cd", count: 32) + "\n", to: hashes)
    let both = ["deny_hosts (SHA-256)", "hash_blocklist (SHA-256)"]
    #expect(try await refused() == both)
    let again = try await differences {
      _ = try await web.run(list, into: "run", options).run()
    }
    #expect(again == both)
    try DurableFile.remove(hosts)
    await #expect(throws: RecipeError.self) { try await refused() }
  }

  @Test("a file that was named from the working folder is named from the root for later commands")
  func relative() async throws {
    let working = FileManager.default.currentDirectoryPath
    let up = working.split(separator: "/").map { _ in "../" }.joined()
    let list = try web.list(["/ok/1", "/heal/2"])
    let allowed = web.folder + "/allow.txt"
    try DurableFile.write("127.0.0.1\n", to: allowed)
    let options = [
      "deny_hosts=[@\(up + hosts.dropFirst()), .a.test]",
      "allow_hosts=@\(up + allowed.dropFirst())", "hash_blocklist=\(up + hashes.dropFirst())",
    ]
    _ = try await web.run(list, into: "run", options).run()
    let resolved = try await PipelineRun.recipe(of: folder).resolved
    let settings = Dictionary(uniqueKeysWithValues: resolved.map { ($0.key, $0.value) })
    let root = working + "/" + up
    #expect(settings["deny_hosts"] == "[@\(root + hosts.dropFirst()), .a.test]")
    #expect(settings["allow_hosts"] == "[@\(root + allowed.dropFirst())]")
    #expect(settings["hash_blocklist"] == root + hashes.dropFirst())
    web.heal()
    let outcome = try await web.again("run").retry(where: PipelineRun.usualRetry)
    #expect(outcome.status.pairs("kept") == 2)
  }
}
