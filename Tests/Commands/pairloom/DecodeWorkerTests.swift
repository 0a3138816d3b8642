import Foundation
import Testing

/// The processes in which a run decodes.
@Suite(.serialized) struct DecodeWorkerTests {
  private func arguments(_ origin: DemoOrigin, _ run: String, _ settings: [String]) -> [String] {
    ["run", "urls", "--folder", run]
      + (["input=\(origin.list)", "allow_addresses=127.0.0.0/8", "chunk_rows=50", "dedup=exact"]
      + settings)
      .flatMap { ["--set", $0] }
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
      workers = try RunProcesses.decoders(of: process.processIdentifier)
    }
    #expect(!workers.isEmpty)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    // They end by themselves, in the time that it takes to notice.
    #expect(RunProcesses.end(of: workers, within: 30) == [])
  }

  @Test("the command for decoding says to a person that it is not for people")
  func byHand() throws {
    let result = try Program.run(["decode-worker"])
    #expect(result.status == 1)
    #expect(result.error.contains("not for people"))
    #expect(try !Program.run(["--help"]).output.contains("decode-worker"))
  }
}
