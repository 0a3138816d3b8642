import ArgumentParser
import CLIPTraining
import Checkpointing
import Collectives
import DistributedTraining
import Foundation
import TrainingLedger

/// `pairloom train MANIFEST.yaml`: this process is one rank, or it starts the ranks of this host.
struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a CLIP from a manifest; run it again to resume from the last checkpoint.",
    discussion: """
      The ranks of the manifest are started as processes of this host; their gradients are summed
      over TCP. On a terminal a panel shows where the run stands; else a line comes every so many steps.
      The folder also gets report.html, tensorboard/, metrics.jsonl, and training.sqlite, the ledger that
      `pairloom status` reads.

        pairloom train small --folder OUT --set data=DIR/dataset.json --set ranks=2
      """)

  @Argument(
    help: """
      A manifest: a YAML file, or the name of a bundled one (small, filter-network, real-pairs, \
      fashion-mnist, scenes).
      """)
  var manifest: String

  @Option(help: "The output folder: weights, checkpoints, metrics and report.")
  var folder: String

  @Option(name: .customLong("set"), help: "An option of the manifest, as key=value; repeatable.")
  var settings: [String] = []

  @Flag(help: "Say nothing but errors.")
  var quiet = false

  func run() async throws {
    try await Self.train(manifest, folder: folder, settings: settings, isQuiet: quiet)
  }

  /// Trains as the manifest says: in this process when it is one rank, else in processes of its own.
  static func train(
    _ name: String, folder: String, settings: [String], isQuiet: Bool = false
  ) async throws {
    let manifest: TrainingManifest
    do {
      manifest = try TrainingManifest.parse(
        BundledFiles.text(name, folder: "Manifests"), name: name, overrides: settings)
    } catch let error as ManifestError {
      throw CommandError(error.description)
    }
    let place = RankPlace.inherited(from: ProcessInfo.processInfo.environment)
    if manifest.ranks > 1, place == nil {
      try requireFree(folder)
      try launch(
        ["train", name, "--folder", folder] + (isQuiet ? ["--quiet"] : [])
          + settings.flatMap { ["--set", $0] },
        ranks: manifest.ranks)
    } else {
      try train(manifest, folder: folder, place: place, isQuiet: isQuiet)
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
    if failure.signal == nil, RankFailure.reasons.contains(failure.code) {
      // What to do next is for the rank to say: not always the same command again.
      throw CommandFailure(
        description: "the ranks ended; rank 0 says why above",
        code: failure.code == RankFailure.endedTogether ? 1 : failure.code)
    }
    throw CommandFailure(
      description: "\(failure) (what it said stands above); run the same command again to resume "
        + "from the last checkpoint", code: failure.code)
  }

  private static func train(
    _ manifest: TrainingManifest, folder: String, place: RankPlace?, isQuiet: Bool
  ) throws {
    let stop = StopFlag()
    StopFlag.raiseOnSignals(secondEnds: place == nil)
    // Before the ranks meet: a folder that another process works in is refused at once.
    let watch =
      place?.rank ?? 0 == 0
      ? try TrainingWatch(manifest, folder: folder, stop: stop, isQuiet: isQuiet) : nil
    let outcome: TrainingOutcome
    do {
      outcome = try run(manifest, folder: folder, place: place, stop: stop, watch: watch)
    } catch {
      watch?.end(.failed, error: "\(error)", step: nil)
      throw error
    }
    watch?.end(outcome.wasStopped ? .stopped : .done, step: outcome.step)
    guard watch != nil else { return }
    if outcome.wasStopped {
      throw CommandFailure(
        description:
          "stopped after step \(outcome.step), checkpoint written; run the same command "
          + "again to go on", code: 128 + (StopFlag.receivedSignal ?? SIGTERM))
    }
    if !isQuiet { Terminal.print(folder + "/model.safetensors") }
  }

  private static func run(
    _ manifest: TrainingManifest, folder: String, place: RankPlace?, stop: StopFlag,
    watch: TrainingWatch?
  ) throws -> TrainingOutcome {
    var group = ProcessGroup.alone
    if let place {
      RankLauncher.endWithParent()
      group = try ProcessGroup.connect(
        rank: place.rank, worldSize: place.worldSize, rendezvous: place.rendezvous,
        token: place.token, deadline: 60)
    }
    defer { group.close() }
    do {
      return try CLIPTrainingRun.run(
        manifest: manifest, folder: folder, group: group, stop: stop,
        progress: { watch?.take($0) }, begin: { watch?.begin($0) },
        resumed: { watch?.resumed($0, $1) }, note: { watch?.note("warning: \($0)") })
    } catch let error as any SharedEnd {
      // All ranks know of it, and rank 0 tells.
      guard group.rank == 0 else { throw ExitCode(RankFailure.endedTogether) }
      throw CommandFailure(
        description: "\(error)", code: place == nil ? 1 : RankFailure.endedTogether)
    } catch let error as CheckpointError {
      guard case .otherConfiguration = error.reason else { throw error }
      throw CommandError(error.description)
    }
  }

  /// Says so before any rank starts, where another process works in the folder.
  private static func requireFree(_ folder: String) throws {
    let ledger = try TrainingLedger.open(folder: folder, making: false)
    if let refusal = try ledger?.refusal(now: CheckpointSurvey.now()) {
      throw CommandFailure(description: "\(folder): \(refusal)", code: 1)
    }
  }
}

/// An error that ends every rank at the same step, for the same reason.
private protocol SharedEnd: Error {}
extension TrainingDiverged: SharedEnd {}
extension RanksDiverged: SharedEnd {}
