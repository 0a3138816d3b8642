import ArgumentParser
import CLIPTraining
import Collectives
import DistributedTraining
import Foundation

/// `pairloom train MANIFEST.yaml`: this process is one rank, or it starts the ranks of this host.
struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a CLIP from a manifest; run it again to resume from the last checkpoint.",
    discussion: """
      The ranks of the manifest are started as processes of this host; their gradients are summed
      over TCP.

        pairloom train small --folder OUT --set data=DIR/dataset.json --set ranks=2
      """)

  @Argument(
    help: "A manifest: a YAML file, or the name of a bundled one (small, filter-network, scenes).")
  var manifest: String

  @Option(help: "The output folder: weights, checkpoints and metrics.")
  var folder: String

  @Option(name: .customLong("set"), help: "An option of the manifest, as key=value; repeatable.")
  var settings: [String] = []

  func run() async throws {
    try await Self.train(manifest, folder: folder, settings: settings)
  }

  /// Trains as the manifest says: in this process when it is one rank, else in processes of its own.
  static func train(_ name: String, folder: String, settings: [String]) async throws {
    let manifest: TrainingManifest
    do {
      manifest = try TrainingManifest.parse(
        BundledFiles.text(name, folder: "Manifests"), name: name, overrides: settings)
    } catch let error as ManifestError {
      throw CommandError(error.description)
    }
    let place = RankPlace.inherited(from: ProcessInfo.processInfo.environment)
    if manifest.ranks > 1, place == nil {
      try launch(
        ["train", name, "--folder", folder] + settings.flatMap { ["--set", $0] },
        ranks: manifest.ranks)
    } else {
      try train(manifest, folder: folder, place: place)
    }
  }

  /// Starts `ranks` processes of this program with `arguments` and waits for them.
  private static func launch(_ arguments: [String], ranks: Int) throws {
    let launcher = RankLauncher(
      executable: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
      arguments: arguments, ranks: ranks)
    Interruption.shared.watch { launcher.interrupt() }
    // All ranks may have ended well although a signal came: after the last step.
    guard let failure = try launcher.run() else { return }
    // Ctrl-C on a terminal reaches the ranks as SIGINT too.
    if Interruption.shared.signal != nil, [128 + SIGTERM, 128 + SIGINT].contains(failure.code) {
      throw CommandFailure(
        description: "interrupted; run the same command again to resume from the checkpoint",
        code: Interruption.shared.exitCode)
    }
    throw CommandFailure(
      description: "\(failure) (what it said stands above); run the same command again to resume "
        + "from the last checkpoint", code: failure.code)
  }

  private static func train(
    _ manifest: TrainingManifest, folder: String, place: RankPlace?
  ) throws {
    let stop = StopFlag()
    StopFlag.raiseOnSignals(secondEnds: place == nil)
    var group = ProcessGroup.alone
    if let place {
      RankLauncher.endWithParent()
      group = try ProcessGroup.connect(
        rank: place.rank, worldSize: place.worldSize, rendezvous: place.rendezvous,
        token: place.token, deadline: 60)
    }
    defer { group.close() }
    let outcome = try CLIPTrainingRun.run(
      manifest: manifest, folder: folder, group: group, stop: stop,
      progress: { Terminal.note(line($0, of: manifest.steps)) },
      resumed: { step, warnings in
        for warning in warnings { Terminal.note("warning: \(warning)") }
        if step > 0 { Terminal.note("resuming from step \(step)") }
      })
    guard group.rank == 0 else { return }
    if outcome.wasStopped {
      throw CommandFailure(
        description: "stopped after step \(outcome.step), checkpoint written; run the same command "
          + "again to go on", code: 128 + (StopFlag.receivedSignal ?? SIGTERM))
    }
    Terminal.print(folder + "/model.safetensors")
  }

  private static func line(_ metrics: StepMetrics, of steps: Int) -> String {
    let left = Double((steps - metrics.step) * (metrics.samples / max(1, metrics.step)))
    let remaining = StatusPanel.duration(left / max(metrics.pairsPerSecond, 1e-9))
    let replaced = metrics.replacedPairs > 0 ? "  \(metrics.replacedPairs) replaced" : ""
    return String(
      format: "step %d/%d  loss %.4f  lr %.2e  grad %.2f  %.0f pairs/s  waiting %.0f %%  "
        + "exchange %.0f ms  %@ left",
      metrics.step, steps, metrics.loss, metrics.learningRate, metrics.gradientNorm,
      metrics.pairsPerSecond, metrics.waitShare * 100, metrics.exposedCommunicationSeconds * 1_000,
      remaining) + replaced
  }
}
