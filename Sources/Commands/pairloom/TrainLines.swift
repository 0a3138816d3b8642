import CLIPTraining
import Foundation

/// What `pairloom train` says before it trains.
enum TrainLines {
  /// What the run will be, in a few lines.
  static func outline(_ outline: TrainingOutline) -> [String] {
    let perRank =
      outline.globalBatch % outline.ranks == 0
      ? "\(outline.globalBatch / outline.ranks)" : "about \(outline.globalBatch / outline.ranks)"
    let parts = outline.microBatches > 1 ? " in \(outline.microBatches) parts" : ""
    let ranks =
      outline.ranks == 1
      ? "1 rank\(parts)" : "\(outline.ranks) ranks × \(perRank) pairs\(parts)"
    let threads =
      outline.threads == 0
      ? "threads: the cores shared out" : "\(outline.threads) threads each"
    var lines = [
      "model   \(outline.model): \(count(outline.parameters)) parameters",
      "data    \(count(outline.pairs)) pairs in \(outline.shards) "
        + "\(outline.shards == 1 ? "shard" : "shards") of \(outline.data)",
      String(
        format: "run     %d steps of %d pairs (%@, %@): %.3g epochs, %@ samples", outline.steps,
        outline.globalBatch, ranks, threads, outline.epochs,
        count(outline.steps * outline.globalBatch)),
    ]
    if let memory = outline.memory { lines.append("memory  \(memory)") }
    lines.append(
      "writes  \(outline.folder): checkpoints of \(bytes(outline.checkpointBytes)) "
        + "(as much memory while one is written), metrics.jsonl, model.safetensors")
    return lines
  }

  /// A number with three digits, such as 1.23 million.
  private static func count(_ number: Int) -> String {
    switch number {
    case ..<10_000: "\(number)"
    case ..<1_000_000: String(format: "%.1f thousand", Double(number) / 1e3)
    case ..<1_000_000_000: String(format: "%.1f million", Double(number) / 1e6)
    default: String(format: "%.2f billion", Double(number) / 1e9)
    }
  }

  static func bytes(_ number: Int) -> String {
    number < 1_000_000
      ? String(format: "%.0f kB", Double(number) / 1e3)
      : String(format: "%.0f MB", Double(number) / 1e6)
  }
}
