import ArgumentParser
import ImageCodec
import PairDataset
import PipelineCore

/// `pairloom cat SHARD [KEY]`: one pair, or the metadata of all.
struct CatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cat",
    abstract: "Show one pair of a shard, or the metadata of all as JSON Lines.",
    discussion: """
      Reads any WebDataset tar: plain, or in LZ4, gzip or zstd.

        pairloom cat DIR/shards/00000.tar.lz4 | head -1
        pairloom cat DIR/shards/00000.tar.lz4 KEY
        pairloom cat DIR/shards/00000.tar.lz4 KEY --member jpg > picture.jpg
      """)

  @Argument(help: "A shard.")
  var shard: String

  @Argument(help: "The key of a pair; without it the metadata of all pairs, one a line.")
  var key: String?

  @Option(help: "Write this member of the pair, byte for byte: jpg, json, txt …")
  var member: String?

  @Flag(help: "Write a picture to a terminal, too.")
  var force = false

  func validate() throws {
    guard member == nil || key != nil else { throw ValidationError("--member needs a KEY.") }
  }

  func run() throws {
    let reader = try ShardReader(path: shard)
    guard let key else {
      return try StandardOutput.stream { output in
        try reader.forEachSample { try output.line(OneLine.json(Self.metadata($0))) }
      }
    }
    guard let sample = try reader.sample(key: key) else {
      throw CommandFailure(
        description: "\(shard): no pair has the key \(key). `pairloom ls \(shard)` lists its"
          + " \(reader.count) keys.", code: 1)
    }
    if let member { return try write(member, of: sample) }
    try StandardOutput.stream { output in
      for line in Self.lines(sample) { try output.line(line) }
    }
  }

  private func write(_ suffix: String, of sample: ShardSample) throws {
    guard let data = sample.data(suffix) else {
      let names = sample.members.map(\.suffix).joined(separator: ", ")
      throw CommandFailure(
        description: OneLine.text(
          "\(sample.key) has no member \(suffix); it has \(names).", longest: .max), code: 1)
    }
    let isText = String(validating: data, as: UTF8.self) != nil && !data.contains(0)
    guard isText || force || !StandardOutput.isTerminal else {
      throw CommandError(
        "\(sample.key).\(suffix) is binary: send it to a file with > NAME.\(suffix), or say --force."
      )
    }
    try StandardOutput.stream { try $0.write(data) }
  }

  /// The JSON of a sample on one line, with its key; what is no JSON object is told as such.
  private static func metadata(_ sample: ShardSample) throws -> String {
    var members: [JSONValue.Member] = []
    if let bytes = sample.data("json") {
      do throws(JSONError) {
        let value = try JSONValue.parse(bytes)
        if case .object(let known) = value {
          members = known
        } else {
          members = [.init("json", value)]
        }
      } catch {
        members = [.init("error", .string("\(sample.key).json is \(error)"))]
      }
    } else if let text = sample.data("txt") {
      members = [.init("caption", .string(String(decoding: text, as: UTF8.self)))]
    }
    if !members.contains(where: { $0.key == "key" }) {
      members.insert(.init("key", .string(sample.key)), at: 0)
    }
    return JSONValue.object(members).serialized
  }

  /// A pair for a person: its members, the caption, the metadata a field a line.
  private static func lines(_ sample: ShardSample) -> [String] {
    var lines = sample.members.map { member -> String in
      let name = OneLine.text("\(sample.key).\(member.suffix)", longest: .max)
      return "\(name)  \(ByteCount.words(member.data.count))" + picture(member.data)
    }
    if let text = sample.data("txt") {
      lines += ["", OneLine.text(String(decoding: text, as: UTF8.self), longest: .max)]
    }
    guard let json = sample.data("json"), !json.isEmpty else { return lines }
    lines.append("")
    do throws(JSONError) {
      let members = try JSONValue.parse(json).members
      let width = members.map(\.key.count).max() ?? 0
      lines += members.map { member in
        let name = OneLine.text(member.key, longest: .max)
        let value = member.value.text ?? member.value.serialized
        return name + String(repeating: " ", count: max(0, width - member.key.count) + 2)
          + OneLine.text(value, longest: .max)
      }
    } catch {
      lines.append(OneLine.text("\(sample.key).json is \(error)", longest: .max))
    }
    return lines
  }

  /// Format and size of what is a picture.
  private static func picture(_ data: [UInt8]) -> String {
    do throws(ImageError) {
      let header = try ImageDecoder.header(of: data)
      return "  \(header.format.rawValue) \(header.width)×\(header.height)"
    } catch {
      return ""
    }
  }
}
