import ArgumentParser
import DecodeStage
import WorkerProcesses

/// `pairloom decode-worker`: what a run starts to decode in; not for people.
struct DecodeWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode-worker", abstract: "Decode pictures for the process that started this.",
    shouldDisplay: false)

  /// How a run starts it: this very program, even when its file was replaced meanwhile.
  static let worker = WorkerCommand(executable: "/proc/self/exe", arguments: ["decode-worker"])

  func run() { DecodeWorker.serve() }
}
