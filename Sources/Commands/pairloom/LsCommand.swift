import ArgumentParser
import PairDataset
import PipelineCore

/// `pairloom ls SHARD…`: what is in shards.
struct LsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls",
    abstract: "List the pairs of shards: key, size, members, caption.",
    discussion: """
      Reads any WebDataset tar: plain, or in LZ4, gzip or zstd, Pairloom's own or another's. Samples \
      without a picture are passed over. What is damaged is named with its place.

        pairloom ls DIR/shards/00000.tar.lz4 | head
        pairloom ls DIR/shards/*.tar.lz4 --json
      """)

  @Argument(help: "Shards: .tar, .tar.lz4, .tar.gz, .tar.zst.")
  var shards: [String]

  @Flag(help: "A JSON object a line: shard, key, bytes, members, caption.")
  var json = false

  func run() throws {
    try StandardOutput.stream { output in
      for path in shards {
        let reader = try ShardReader(path: path)
        if shards.count > 1 && !json { try output.line("\(path): \(reader.count) pairs") }
        try reader.forEachSample { sample in
          try output.line(
            json
              ? OneLine.json(Self.object(sample, of: path).serialized) : Self.line(sample))
        }
      }
    }
  }

  private static func bytes(_ sample: ShardSample) -> Int {
    sample.members.reduce(0) { $0 + $1.data.count }
  }

  private static func caption(_ sample: ShardSample) -> String {
    String(decoding: sample.data("txt") ?? [], as: UTF8.self)
  }

  /// Key, size, members and the caption's start in columns.
  private static func line(_ sample: ShardSample) -> String {
    func padded(_ text: String, _ width: Int, left: Bool = false) -> String {
      let space = String(repeating: " ", count: max(0, width - text.count))
      return left ? space + text : text + space
    }
    let members = OneLine.text(
      sample.members.map(\.suffix).joined(separator: " "), longest: .max)
    return padded(OneLine.text(sample.key, longest: .max), 32) + "  "
      + padded(ByteCount.words(bytes(sample)), 8, left: true)
      + "  " + padded(members, 12) + "  " + OneLine.text(caption(sample), longest: 60)
  }

  private static func object(_ sample: ShardSample, of path: String) -> JSONValue {
    .object([
      .init("shard", .string(path)), .init("key", .string(sample.key)),
      .init("bytes", .int(bytes(sample))),
      .init(
        "members", .object(sample.members.map { .init($0.suffix, .int($0.data.count)) })),
      .init("caption", sample.data("txt") == nil ? .null : .string(caption(sample))),
    ])
  }
}
