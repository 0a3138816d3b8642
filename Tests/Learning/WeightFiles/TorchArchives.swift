import Foundation
import Testing
import WeightFiles

/// A file of the fixtures.
func fixture(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/" + name
}

/// ZIP archives and pickles by hand, so that each of their parts can be made wrong.
enum TorchArchives {
  struct Member {
    var name: String
    var bytes: [UInt8]
    var flags = 0
    var method = 0
    /// What the table says in place of the truth.
    var claimedCount: Int?
    var claimedOffset: Int?
    var headerName: String?
  }

  static func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// Stored members without checksums, and their table.
  static func zip(_ members: [Member], claimedEntries: Int? = nil) -> [UInt8] {
    var file: [UInt8] = []
    var table: [UInt8] = []
    for member in members {
      let offset = member.claimedOffset ?? file.count
      let count = member.claimedCount ?? member.bytes.count
      let facts =
        little(20, 2) + little(member.flags, 2) + little(member.method, 2) + little(0, 8)
        + little(count, 4) + little(count, 4)
      let name = Array((member.headerName ?? member.name).utf8)
      file += little(0x0403_4B50, 4) + facts + little(name.count, 2) + little(0, 2) + name
      file += member.bytes
      let tableName = Array(member.name.utf8)
      table += little(0x0201_4B50, 4) + little(20, 2) + facts + little(tableName.count, 2)
      table += little(0, 12) + little(offset, 4) + tableName
    }
    let entries = claimedEntries ?? members.count
    return file + table + little(0x0605_4B50, 4) + little(0, 4) + little(entries, 2)
      + little(entries, 2) + little(table.count, 4) + little(file.count, 4) + little(0, 2)
  }

  /// An archive of torch with a pickle and the storages `0`, `1`, ….
  static func torch(_ pickle: [UInt8], storages: [[UInt8]] = []) -> [UInt8] {
    zip(
      [Member(name: "a/data.pkl", bytes: pickle)]
        + storages.enumerated().map { Member(name: "a/data/\($0)", bytes: $1) })
  }

  static func text(_ text: String) -> [UInt8] {
    Array("X".utf8) + little(text.utf8.count, 4) + Array(text.utf8)
  }

  static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  static func integer(_ value: Int) -> [UInt8] { [0x8A, 8] + little(value, 8) }

  static func tuple(_ values: [Int]) -> [UInt8] {
    Array("(".utf8) + values.flatMap(integer) + Array("t".utf8)
  }

  /// A view into storage 0, of Float.
  static func tensor(
    count: Int, offset: Int, shape: [Int], strides: [Int], key: String = "0"
  ) -> [UInt8] {
    global("torch._utils", "_rebuild_tensor_v2") + Array("((".utf8) + text("storage")
      + global("torch", "FloatStorage") + text(key) + text("cpu") + integer(count)
      + Array("tQ".utf8) + integer(offset) + tuple(shape) + tuple(strides) + [0x89]
      + Array("}tR".utf8)
  }

  /// A state dict with one tensor.
  static func stateDict(_ tensor: [UInt8], name: String = "w") -> [UInt8] {
    [0x80, 2] + Array("}".utf8) + text(name) + tensor + Array("s.".utf8)
  }

  static func read(_ bytes: [UInt8]) throws(WeightFileError) -> WeightFile {
    try WeightReader(bytes: bytes, name: "w.pt").file()
  }
}
