import Compression
import DurableFiles
import Foundation
import PairDataset
import Testing

/// Archives that mean harm: a typed error with its place, or pairs; never a trap, a hang or a flood.
@Suite struct HostileShardTests {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "pairloom-hostile-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
  }

  private func path(_ bytes: [UInt8], _ name: String = "h.tar") throws -> String {
    try DurableFile.write(bytes, to: folder + "/" + name)
    return folder + "/" + name
  }

  private func reason(_ bytes: [UInt8]) throws -> ShardError.Reason? {
    let path = try path(bytes)
    let error = #expect(throws: ShardError.self) { try ShardReader(path: path) }
    #expect(error?.shard == path && error?.description.hasPrefix(path + "@") == true)
    return error?.reason
  }

  private let good = RawTar.member("good.jpg", [1, 2, 3])

  @Test(
    "a name that leads out of the folder, or holds a control character, is refused",
    arguments: [
      "../up.jpg", "a/../../up.jpg", "a/..", "/abs.jpg", "//abs.jpg", "new\nline.jpg",
      "del\u{7F}.jpg",
    ])
  func traversal(name: String) throws {
    for member in [
      RawTar.member(name, [1]),
      RawTar.pax([("path", name)]) + RawTar.member("harmless.jpg", [1]),
      RawTar.member("././@LongLink", Array(name.utf8) + [0], flag: "L")
        + RawTar.member("harmless.jpg", [1]),
    ] {
      guard case .unsafeName(let found, _) = try reason(good + member + RawTar.end) else {
        Issue.record("\(name) was not refused")
        continue
      }
      #expect(found == name)
    }
  }

  @Test("a NUL in a pax name is refused; two dots within a name are none of two dots alone")
  func nul() throws {
    let member = RawTar.pax([("path", "a\u{0}b.jpg")]) + RawTar.member("x.jpg", [1])
    guard case .unsafeName = try reason(member + RawTar.end) else {
      Issue.record("not refused")
      return
    }
    let reader = try ShardReader(
      path: try path(RawTar.member("a/..b/...c/x.jpg", [1]) + RawTar.end))
    #expect(reader.keys == ["a/..b/...c/x"])
  }

  @Test("sizes that cannot be are refused, and those that are only claimed cost nothing")
  func sizes() throws {
    func sized(_ size: [UInt8]) -> [UInt8] {
      RawTar.header(Array("x.jpg".utf8), size: size) + [UInt8](repeating: 7, count: 512)
        + RawTar.end
    }
    let base256: [[UInt8]] = [
      [0xFF] + [UInt8](repeating: 0xFF, count: 11),  // -1
      [0x80] + [UInt8](repeating: 0xFF, count: 11),  // 2^88 - 1
      [0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0],  // 2^62
      [0x80, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0],  // 2^53
    ]
    for size in base256 + [Array("12x45".utf8), Array("9".utf8), Array("-1".utf8)] {
      guard case .badHeader = try reason(sized(size)) else {
        Issue.record("\(size) was not refused")
        continue
      }
    }
    for size in [
      Array("777777777777".utf8), [0x80, 0, 0, 0, 0, 0x0F] + [UInt8](repeating: 0xFF, count: 6),
    ] {
      guard case .truncated = try reason(sized(size)) else {
        Issue.record("\(size) was not found out")
        continue
      }
    }
    let pax = RawTar.pax([("size", "4503599627370495")]) + RawTar.member("x.jpg", [1]) + RawTar.end
    guard case .truncated = try reason(pax) else {
      Issue.record("pax size")
      return
    }
    // In base 256, and in octal with spaces around it, a right size is right.
    for size in [[0x80] + [UInt8](repeating: 0, count: 10) + [3], Array("   3 garbage".utf8)] {
      let tar = RawTar.header(Array("x.jpg".utf8), size: size) + RawTar.padded([5, 6, 7])
      #expect(try ShardReader(path: try path(tar + RawTar.end)).pair(at: 0).image == [5, 6, 7])
    }
  }

  @Test(
    "a member beyond the limit is refused before it is read, and passed over when not asked for")
  func giants() throws {
    // A sparse file on disk: 300 MiB of nothing.
    let size = 300 << 20
    func shard(_ name: String) throws -> String {
      let header = RawTar.header(Array(name.utf8), size: Array(RawTar.octal(size, 11).utf8))
      let path = try path(good + header, "giant.tar")
      let file = try #require(FileHandle(forWritingAtPath: path))
      try file.truncate(atOffset: UInt64(good.count + 512 + size + 1024))
      try file.close()
      return path
    }
    let reader = try ShardReader(path: try shard("giant.jpg"))
    #expect(reader.keys == ["good", "giant"])
    #expect(try reader.pair(at: 0).image == [1, 2, 3])
    let error = #expect(throws: ShardError.self) { try reader.pair(at: 1) }
    guard case .memberTooLarge("giant.jpg", size, _) = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(throws: ShardError.self) { try reader.forEach { _ in } }
    let foreign = try ShardReader(path: try shard("good.mp4"))
    var count = 0
    try foreign.forEach { count += $0.image.count }
    #expect(try count == 3 && foreign.pair(at: 0).image == [1, 2, 3])
    #expect(throws: ShardError.self) { try foreign.sample(at: 0) }
    #expect(throws: ShardError.self) { try foreign.forEachSample { _ in } }
  }

  @Test("links, folders and devices have no data, whatever they say; other kinds are passed over")
  func oddKinds() throws {
    var tar: [UInt8] = []
    for flag in ["1", "2", "3", "4", "5", "6"] as [Character] {
      tar += RawTar.header(Array("l\(flag).jpg".utf8), size: Array("00000001000".utf8), flag: flag)
    }
    tar += RawTar.member("V.jpg", [9], flag: "V") + RawTar.member("g", [1], flag: "g")
    tar += RawTar.header(Array("old/".utf8), size: Array("0001".utf8), flag: "\u{0}")
    tar += RawTar.member("c.jpg", [7], flag: "7") + good + RawTar.end
    let reader = try ShardReader(path: try path(tar))
    #expect(reader.keys == ["c", "good"])
    #expect(try reader.pair(at: 0).image == [7])
  }

  @Test("files with holes are named as what is not read, in GNU's format and in pax")
  func sparse() throws {
    for member in [
      RawTar.member("x.jpg", [1], flag: "S"),
      RawTar.pax([("GNU.sparse.major", "1"), ("GNU.sparse.name", "x.jpg")])
        + RawTar.member("GNUSparseFile.0/x.jpg", [1]),
    ] {
      guard case .unsupported = try reason(member + RawTar.end) else {
        Issue.record("not refused")
        continue
      }
    }
  }

  @Test("pax headers out of order are refused: lengths, numbers, sizes of their own")
  func pax() throws {
    for records in [
      "8 path=x\n", "99 path=x.jpg\n", "0 a=b\n", "-5 a=b\n", "18446744073709551617 a=b\n",
      "13 size=-512\n", "32 size=99999999999999999999999\n", "10 path=xx", "abc",
    ] {
      let tar = RawTar.member("pax", Array(records.utf8), flag: "x") + good + RawTar.end
      guard case .badHeader = try reason(tar) else {
        Issue.record("\(records) was not refused")
        continue
      }
    }
    let long = RawTar.header(Array("pax".utf8), size: Array("00100000000".utf8), flag: "x")
    guard case .badHeader = try reason(long + RawTar.end) else {
      Issue.record("a header of 16 MiB was not refused")
      return
    }
    let name = RawTar.pax([("path", String(repeating: "n", count: 5000) + ".jpg")]) + good
    guard case .badHeader = try reason(name + RawTar.end) else {
      Issue.record("a name of 5,000 bytes was not refused")
      return
    }
  }

  @Test("one sample of 10,001 members ends the reading, soon")
  func manyMembers() throws {
    var tar = RawTar.member("x.jpg", [1])
    for number in 0..<10_000 { tar += RawTar.member("x.\(number)") }
    guard case .tooMany = try reason(tar + RawTar.end) else {
      Issue.record("not refused")
      return
    }
  }

  @Test("archives of other programs are told by name", arguments: ["bzip2", "xz", "zip"])
  func otherArchives(format: String) throws {
    let magic: [UInt8] =
      switch format {
      case "bzip2": Array("BZh91AY".utf8)
      case "xz": [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]
      default: [0x50, 0x4B, 3, 4, 20, 0]
      }
    guard case .unsupported(let what) = try reason(magic + [UInt8](repeating: 1, count: 2000))
    else {
      Issue.record("not refused")
      return
    }
    #expect(what.contains(format))
  }

  @Test("a gibibyte in one small frame passes through in bounded memory")
  func bomb() throws {
    let size = 1 << 30
    let header = RawTar.header(Array("good.bin".utf8), size: Array(RawTar.octal(size, 11).utf8))
    let head = try path(good + header, "head")
    let tail = try path(RawTar.member("last.jpg", [4]) + RawTar.end, "tail")
    let shard = folder + "/bomb.tar.lz4"
    _ = try ShardTools.run(
      "{ cat \(head); head -c \(size) /dev/zero; cat \(tail); } | lz4 -q > \(shard)")
    #expect(try DurableFile.size(of: shard) < 6 << 20)
    let before = try peak()
    let reader = try ShardReader(path: shard)
    #expect(reader.keys == ["good", "last"])
    #expect(try reader.pair(at: 1).image == [4])
    let error = #expect(throws: ShardError.self) { try reader.pair(at: 0) }
    guard case .memberTooLarge = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    // Other tests run beside this one and take memory too, but not half of what the bomb claims.
    #expect(try peak() - before < size / 2)
  }

  /// The most memory this process has had, in bytes.
  private func peak() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first)
      << 10
  }
}
