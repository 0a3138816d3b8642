import CLIPModel
import Foundation
import FuzzSupport
import WeightFiles

/// Any file ends in tensors that its bytes justify, in a model of them, or in a typed error.
///
/// The input's first byte, modulo 4, says which. 0: the rest is the file. 1: the rest is the pickle in a sound
/// archive with two storages, since most mutations of a whole archive end at its table. 2: the rest is the
/// JSON of transformers or open_clip beside weights. 3: the rest is the JSON header of a safetensors file whose
/// tensors are empty, so that sides may be of any size.
@main struct WeightFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static func test(_ bytes: [UInt8]) {
    guard let mode = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    switch mode % 4 {
    case 1: testWeights(archive(rest))
    case 2: testDescription(rest)
    case 3: testWeights(little(rest.count, 8) + rest)
    default: testWeights(rest)
    }
  }

  private static func testWeights(_ file: [UInt8]) {
    let reader: WeightReader
    do throws(WeightFileError) {
      reader = try WeightReader(bytes: file, name: "w")
      let weights = try reader.file()
      let numbers = weights.tensors.values.reduce(0) { $0 + $1.count }
      precondition(numbers <= 8 * file.count + 1 << 20, "\(numbers) numbers of \(file.count) bytes")
    } catch {
      _ = error.description
      return
    }
    do {
      let weights = try CLIPWeights(reader)
      let sizes = try CLIPConfiguration.inferred(from: weights.shapes, file: "w")
      _ = sizes.nearestName
      _ = try CLIP(sizes, weights: weights.file(for: sizes)).state
    } catch {
      _ = "\(error)"
    }
  }

  /// Each reader refuses what another takes: all of them see all.
  private static func testDescription(_ json: [UInt8]) {
    let readers: [() throws -> Void] = [
      {
        let sizes = try CLIPConfiguration.huggingFace(json: json, file: "c")
        _ = try sizes.check([:], file: "c")
      },
      { _ = try CLIPBundle.Preprocessing.huggingFace(json: json, file: "c", imageSize: 224) },
      {
        let sizes = try JSONDecoder().decode(CLIPConfiguration.self, from: Data(json))
        _ = try sizes.check([:], file: "c")
      },
    ]
    for reader in readers {
      do { try reader() } catch { _ = "\(error)" }
    }
  }

  private static func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// Stored members; their checksums are 0, which says that none was made.
  private static func archive(_ pickle: [UInt8]) -> [UInt8] {
    var file: [UInt8] = []
    var table: [UInt8] = []
    let storage = (0..<64).map { UInt8($0) }
    let members = [
      ("a/data.pkl", pickle), ("a/data/0", storage), ("a/data/1", storage), ("a/code/m.py", []),
    ]
    for (name, bytes) in members {
      let facts =
        little(20, 2) + little(0, 12) + little(bytes.count, 4) + little(bytes.count, 4)
        + little(name.utf8.count, 2)
      table += little(0x0201_4B50, 4) + little(20, 2) + facts + little(0, 12)
      table += little(file.count, 4) + Array(name.utf8)
      file += little(0x0403_4B50, 4) + facts + little(0, 2) + Array(name.utf8) + bytes
    }
    return file + table + little(0x0605_4B50, 4) + little(0, 4) + little(members.count, 2)
      + little(members.count, 2) + little(table.count, 4) + little(file.count, 4) + little(0, 2)
  }

  private static func seeds() throws -> [[UInt8]] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Learning/WeightFiles/Fixtures")
    var seeds: [[UInt8]] = []
    for name in ["checkpoint.pt", "deflated.pt", "script.pt", "types.safetensors"] {
      let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
      seeds.append([0] + bytes)
      // The first member of torch's archives is the pickle, stored; its bytes begin at 64.
      if name == "checkpoint.pt", let end = bytes.firstRange(of: Array("PK\u{7}\u{8}".utf8)) {
        seeds.append([1] + bytes[64..<end.lowerBound])
      }
    }
    let towers = #"{"hidden_size":4,"intermediate_size":16,"num_attention_heads":1,"vocab_size":9}"#
    let names = [
      "visual.conv1.weight", "token_embedding.weight", "text_projection",
      "visual.positional_embedding", "visual.transformer.resblocks.0.mlp.c_fc.weight",
    ]
    let header = names.map {
      "\"\($0)\":{\"dtype\":\"I8\",\"shape\":[9,0],\"data_offsets\":[0,0]}"
    }
    seeds += [
      [2]
        + Array(#"{"model_type":"clip","text_config":\#(towers),"vision_config":\#(towers)}"#.utf8),
      [2] + Array(#"{"size":{"shortest_edge":224},"resample":3,"image_mean":[0.5,0.5,0.5]}"#.utf8),
      [2]
        + Array(#"{"embed_dim":8,"vision_cfg":{"layers":[1,1,1,1],"width":8},"text_cfg":{}}"#.utf8),
      [3] + Array("{\(header.joined(separator: ","))}".utf8),
    ]
    return seeds
  }
}
