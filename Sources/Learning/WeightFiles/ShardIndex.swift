import FoundationEssentials
import ZipFiles

/// Hugging Face's `model.safetensors.index.json` and `pytorch_model.bin.index.json`.
struct ShardIndex {
  /// The paths of the shards, sorted, and the tensors that each holds.
  var shards: [(file: String, names: [String])]
  var metadata: [String: String]

  private static let mostBytes = 64 << 20
  private static let mostShards = 10_000

  init(_ source: ByteSource) throws(WeightFileError) {
    func fail(_ problem: String) -> WeightFileError {
      WeightFileError(.index(problem), file: source.name)
    }
    guard source.size <= Self.mostBytes else { throw fail("\(source.size) bytes of JSON") }
    let bytes = try source.bytes(source.size, at: 0)
    let document: Document
    do {
      document = try JSONDecoder().decode(Document.self, from: Data(bytes))
    } catch {
      throw fail("it is no JSON with a weight_map of names and files")
    }
    var byFile: [String: [String]] = [:]
    for (name, file) in document.weight_map { byFile[file, default: []].append(name) }
    guard byFile.count <= Self.mostShards else { throw fail("\(byFile.count) shards") }
    let folder =
      source.name.utf8.lastIndex(of: UInt8(ascii: "/")).map { source.name[...$0] } ?? ""
    shards = []
    for file in byFile.keys.sorted() {
      // An index from elsewhere may not make the program read where it likes, nor itself.
      guard !file.isEmpty, !file.contains("/"), !file.contains("\0"), !file.hasSuffix(".json")
      else {
        throw fail("\"\(file.prefix(60))\" is no name of a shard beside it")
      }
      shards.append((folder + file, (byFile[file] ?? []).sorted()))
    }
    metadata = document.metadata?.texts ?? [:]
  }

  private struct Document: Decodable {
    var weight_map: [String: String]
    var metadata: Facts?
  }

  /// Texts and numbers of an object, others left out.
  private struct Facts: Decodable {
    var texts: [String: String] = [:]

    private struct Name: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Name.self)
      for key in container.allKeys {
        // Another type than the one asked for is no error here.
        if let text = try? container.decode(String.self, forKey: key) {
          texts[key.stringValue] = text
        } else if let number = try? container.decode(Int.self, forKey: key) {
          texts[key.stringValue] = "\(number)"
        }
      }
    }
  }
}
