import ArgumentParser
import DurableFiles
import Foundation
import SceneWorld

/// `pairloom demo-origin`: the demo's world on a loopback port, for trying commands by hand.
struct DemoOriginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo-origin",
    abstract: "Serve the demo's world until standard input closes.",
    discussion: "Writes list.csv and truth.jsonl into the folder, then prints the origin's address."
  )

  @Option(help: "Rows of the list.")
  var rows: Int = 6_000

  @Option(help: "The world's seed.")
  var seed: UInt64 = 1

  @Option(help: "Where the list and the truth are written.")
  var folder: String

  func run() async throws {
    let world = DemoWorld(rows: rows, seed: seed)
    let origin = try SceneOrigin(world: world)
    try DurableFile.makeFolder(folder)
    try DurableFile.write(world.listCSV(origin: origin.address), to: folder + "/list.csv")
    try DurableFile.write(world.truthJSONL(origin: origin.address), to: folder + "/truth.jsonl")
    Terminal.print(origin.address)
    while let line = readLine() { _ = line }
    origin.stop()
  }
}
