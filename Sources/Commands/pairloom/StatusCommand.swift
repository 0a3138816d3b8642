import ArgumentParser
import Foundation
import PipelineCore
import URLPipeline

/// `pairloom status DIR`: where a run stands, whether it is running or not.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show the funnel of a run, its rates and its failures by reason.")

  @Argument(help: "The run's folder.")
  var folder: String

  @Flag(help: "One JSON object instead of the panel.")
  var json = false

  func run() async throws {
    let status = try await PipelineRun.status(folder: folder)
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      Terminal.print(String(decoding: try encoder.encode(status), as: UTF8.self))
    } else {
      for line in StatusPanel(status: status).lines { Terminal.print(line) }
    }
  }
}
