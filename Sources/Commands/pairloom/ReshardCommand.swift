import ArgumentParser
import PairDataset
import PipelineCore
import ShardMaintenance

/// `pairloom reshard SHARD… --out DIR`: the same pairs in other shards, nothing encoded anew.
struct ReshardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reshard",
    abstract: "Cut shards anew, by count, by bytes, or to a list of ids; nothing is encoded again.",
    discussion: """
      Takes any WebDataset tars, and keeps every member byte for byte. Writes numbered shards with \
      indexes, dataset.json, sizes.json for open_clip, and the rows of tables that stand beside the \
      shards. The folder appears when it is complete; the same command gives the same bytes.

      --ids takes a text file with a uid a line, or a .npy as DataComp's subsets are (pairs of uint64). A \
      pair's uid is that of its JSON, else follows from its URL and caption, else from picture and caption.

        pairloom reshard DIR/shards/*.tar.lz4 --out DIR2 --pairs 10000
        pairloom reshard *.tar --out SUBSET --ids subset.npy --compression none
      """)

  @Argument(help: "Shards: .tar, .tar.lz4, .tar.gz, .tar.zst, in this order.")
  var shards: [String]

  @Option(help: "The folder to write, new or empty.")
  var out: String

  @OptionGroup var cut: ShardCutOptions

  @Option(help: "Keep the pairs with these uids: a text file, or DataComp's .npy.")
  var ids: String?

  @Option(
    help: "Put all pairs in an order drawn with this seed; the indexes of all shards are in memory."
  )
  var shuffle: UInt64?

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  func run() throws {
    // What has grown beside the folder is known by its mark, and cleared by the same command.
    Interruption.shared.watchToLeave()
    let list = try ids.map { try UIDList(path: $0) }
    let progress = WorkProgress()
    let outcome = try Resharder.reshard(
      shards, to: out, options: cut.options(shuffleSeed: shuffle), ids: list
    ) { read, kept in progress.show { "reshard: \(read) pairs read, \(kept) kept" } }
    report(outcome, listed: list?.count)
  }

  private func report(_ outcome: ReshardOutcome, listed: Int?) {
    let out = Resharder.trimmed(out)
    if let why = outcome.withoutTables { Terminal.note("tables were not taken along: \(why)") }
    if outcome.renamed > 0 {
      Terminal.note(
        "\(outcome.renamed) pairs have another key: their new shard had one of the same already")
    }
    if outcome.missing > 0 {
      let some = outcome.firstMissing.map { OneLine.text($0, longest: 100) }.joined(separator: " ")
      Terminal.note(
        "\(outcome.missing) of \(listed ?? 0) ids are in none of the shards: \(some)"
          + (outcome.missing > outcome.firstMissing.count ? " …" : ""))
    }
    if json {
      Terminal.print(
        JSONValue.object([
          .init("dataset", .string(out + "/dataset.json")), .init("read", .int(outcome.read)),
          .init("pairs", .int(outcome.pairs)), .init("renamed", .int(outcome.renamed)),
          .init("shards", .array(outcome.shards.map { .string("\(out)/\($0.file)") })),
          .init("missing", .int(outcome.missing)),
          .init("first_missing", .array(outcome.firstMissing.map { .string($0) })),
        ]).serialized)
    } else {
      Terminal.note(
        "\(outcome.pairs) of \(outcome.read) pairs in \(outcome.shards.count)"
          + (outcome.shards.count == 1 ? " shard" : " shards"))
      Terminal.print(out + "/dataset.json")
    }
  }
}

extension ReshardError: UsageError {}
extension UIDListError: UsageError {}
