import ArgumentParser
import DurableFiles
import Foundation
import PipelineCore
import SceneWorld
import URLPipeline

/// `pairloom demo`: the main job from end to end on a generated world.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Weave a generated world, filter it, train a CLIP on it, and measure the result.",
    discussion: """
      Serves a small web of scenes with the faults of the real one, runs every stage on its list,
      trains a fresh CLIP on what was kept, and tests it on scenes that were never served. Run it
      again to resume. The last line is one JSON object.
      """)

  @Option(help: "The demo's folder: list, run, model and report.html.")
  var folder: String = "demo"

  @Option(help: "Rows of the list.")
  var rows: Int = 6_000

  @Option(help: "The world's seed.")
  var seed: UInt64 = 1

  @Option(help: "Chunks that are worked on at a time.")
  var workers: Int = 2

  @Option(name: .customLong("set"), help: "An option of the training manifest, as key=value.")
  var settings: [String] = []

  func validate() throws {
    guard rows >= 100 else { throw ValidationError("--rows must be 100 or more.") }
    guard workers > 0 else { throw ValidationError("--workers must be 1 or more.") }
  }

  func run() async throws {
    let start = ContinuousClock.now
    let world = DemoWorld(rows: rows, seed: seed)
    try DurableFile.makeFolder(folder)
    let status = try await weave(world)
    let findings = try DemoFindings(run: folder + "/run", world: world)

    Terminal.note("\nTraining a fresh CLIP on what was kept.")
    let model = folder + "/clip"
    try await TrainCommand.train(
      "scenes", folder: model, settings: ["data=\(folder)/run/dataset.json"] + settings)

    Terminal.note("\nTesting it on scenes that were never served.")
    let exam = try SceneExam(model: model, seed: seed)
    let elapsed = ContinuousClock.now - start
    let seconds =
      Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    let report = DemoReport(
      folder: folder, status: status, findings: findings, exam: exam, seconds: seconds)
    try report.write()
    report.summary.forEach { Terminal.print($0) }
    Terminal.print(try report.json())
  }

  /// Serves the world, writes its list and runs the pipeline on it.
  private func weave(_ world: DemoWorld) async throws -> RunStatus {
    let origin = try SceneOrigin(world: world, port: try resumedPort())
    defer { origin.stop() }
    let list = folder + "/list.csv"
    try DurableFile.write(world.listCSV(origin: origin.address), to: list)
    try DurableFile.write(world.truthJSONL(origin: origin.address), to: folder + "/truth.jsonl")
    try DurableFile.write("\(origin.port)\n", to: folder + "/port")
    Terminal.note("Serving \(rows) rows at \(origin.address); weaving them into \(folder)/run.")
    let plan = try RunCommand.plan(
      recipe: "scenes", folder: folder + "/run", overrides: ["input=\(list)"], forcesScorer: false)
    let run = try PipelineRun(
      recipe: plan.recipe, folder: folder + "/run", workers: workers, scorer: plan.scorer,
      decoder: DecodeWorkerCommand.worker)
    let work = Task {
      try await run.run(reportingEvery: RunCommand.interval) { RunCommand.report($0) }
    }
    Interruption.shared.watch { work.cancel() }
    let outcome: RunOutcome
    do { outcome = try await work.value } catch is CancellationError {
      throw CommandFailure(
        description: "interrupted; run the same command again to resume",
        code: Interruption.shared.exitCode)
    }
    Terminal.keepPanel()
    guard outcome.isComplete else {
      throw CommandFailure(
        description: "the run ended with jobs in quarantine; see: pairloom status \(folder)/run",
        code: 3)
    }
    return outcome.status
  }

  /// The port of the run that is resumed, since a pair's identity holds its URL; 0 for a fresh one.
  private func resumedPort() throws -> Int {
    let path = folder + "/port"
    guard DurableFile.exists(path) else { return 0 }
    let text = String(decoding: try DurableFile.read(path), as: UTF8.self)
    guard let port = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw CommandError("\(path): holds no port; remove \(folder) to start afresh")
    }
    return port
  }
}
