import Foundation
import FuzzSupport
import WeightFiles

/// Any file ends in tensors that its bytes justify, or in a typed error.
///
/// The input's first byte says which: even, and the rest is the file; odd, and the rest is the pickle in
/// a sound archive with two storages, since most mutations of a whole archive end at its table.
@main struct WeightFuzz {
  static func main() { Fuzz.run(seeds: seeds, test) }

  private static func test(_ bytes: [UInt8]) {
    guard let mode = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    let file = mode % 2 == 0 ? rest : archive(rest)
    do throws(WeightFileError) {
      let reader = try WeightReader(bytes: file, name: "w")
      let weights = try reader.file()
      let numbers = weights.tensors.values.reduce(0) { $0 + $1.count }
      precondition(numbers <= 8 * file.count + 1 << 20, "\(numbers) numbers of \(file.count) bytes")
    } catch {
      _ = error.description
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
    return seeds
  }
}
