import Foundation
import Testing

/// The processes in which a run decodes.
@Suite(.serialized) struct DecodeWorkerTests {
  private func arguments(_ origin: DemoOrigin, _ run: String, _ settings: [String]) -> [String] {
    ["run", "urls", "--folder", run]
      + (["input=\(origin.list)", "allow_addresses=127.0.0.0/8", "chunk_rows=50"] + settings)
      .flatMap { ["--set", $0] }
  }

  /// The decoding processes whose parent is `parent`.
  private func workers(of parent: Int32) throws -> [Int32] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
      // A process may end between the listing and the reading.
      guard let identifier = Int32(name),
        let status = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
        let line = try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8),
        let found = status.split(separator: ")").last?.split(separator: " ").dropFirst().first,
        Int32(found) == parent, line.contains("decode-worker")
      else { return nil }
      return identifier
    }
  }

  @Test("limits that decode nothing stop the run with 1, and nothing is marked as done")
  func setup() throws {
    let folder = try TemporaryFolder()
    let origin = try DemoOrigin(rows: 60, seed: 3, folder: folder.path)
    let run = folder.path + "/run"
    let result = try Program.run(arguments(origin, run, ["decode_memory=1"]))
    #expect(result.status == 1, "\(result.error)")
    #expect(result.error.contains("Nothing was marked as done"), "\(result.error)")
    let status = try Program.run(["status", run])
    #expect(status.output.contains("decoded") && !status.output.contains("quarantine"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: run + "/decoded").filter {
        !$0.hasSuffix(".tmp")
      }.isEmpty)
  }

  @Test("a run that is killed with -9 takes its decoders along")
  func killed() throws {
    let folder = try TemporaryFolder()
    let origin = try DemoOrigin(rows: 2_000, seed: 3, folder: folder.path)
    let process = Program.make(arguments(origin, folder.path + "/run", []), environment: [:])
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    var workers: [Int32] = []
    // Without giving way to other tests: the run would be over when the turn comes back.
    let patience = Date.now.addingTimeInterval(60)
    while process.isRunning, workers.isEmpty, Date.now < patience {
      workers = try self.workers(of: process.processIdentifier)
    }
    #expect(!workers.isEmpty)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    // They end by themselves, in the time that it takes to notice.
    let start = Date.now
    func isLive(_ worker: Int32) -> Bool {
      // Gone, or a zombie that its new parent has not yet collected.
      guard let text = try? String(contentsOfFile: "/proc/\(worker)/stat", encoding: .utf8) else {
        return false
      }
      return text.split(separator: ")").last?.hasPrefix(" Z") == false
    }
    while workers.contains(where: isLive), Date.now.timeIntervalSince(start) < 30 { sched_yield() }
    #expect(!workers.contains(where: isLive))
  }

  @Test("the command for decoding says to a person that it is not for people")
  func byHand() throws {
    let result = try Program.run(["decode-worker"])
    #expect(result.status == 1)
    #expect(result.error.contains("not for people"))
    #expect(try !Program.run(["--help"]).output.contains("decode-worker"))
  }
}
