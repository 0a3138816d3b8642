import DurableFiles
import Foundation
import SeededRandom
import SegmentFile
import Testing

@Suite struct SegmentFileTests {
  static let magic = Array("TESTSEGS".utf8)
  let folder = NSTemporaryDirectory() + "pairloom-segments-\(UUID().uuidString)"
  var path: String { folder + "/file" }

  init() throws { try DurableFile.makeFolder(folder) }

  private func open(isWritable: Bool = true) throws -> SegmentFile {
    try SegmentFile(path, magic: Self.magic, isWritable: isWritable)
  }

  static func segment(_ batch: Int, _ text: String) -> SegmentFile.Segment {
    .init(kind: 7, batches: batch...batch, bytes: Array(text.utf8))
  }

  @Test(
    "the same operations leave the same segments as an array's, for all who look", arguments: 0..<20
  )
  func lockstep(seed: UInt64) throws {
    var random = RandomStream(seed: seed, path: 1)
    var expected: [SegmentFile.Segment] = []
    var writer: SegmentFile? = try open()
    let reader = try open(isWritable: false)
    var batch = 0
    for _ in 0..<40 {
      switch random.integer(below: 10) {
      case 0..<4:
        let new = (0..<random.integer(below: 3)).map { _ in
          batch += 1
          let bytes = (0..<random.integer(below: 300)).map { UInt8($0 & 255) }
          return SegmentFile.Segment(kind: UInt32(batch % 3), batches: batch...batch, bytes: bytes)
        }
        try writer?.append(new)
        expected += new
      case 4, 5:
        let first = random.integer(below: expected.count + 1)
        let range = first..<min(expected.count, first + 1 + random.integer(below: 4))
        guard !range.isEmpty else { continue }
        let merged = SegmentFile.Segment(
          kind: 9,
          batches: expected[range.lowerBound].batches
            .lowerBound...expected[range.upperBound - 1]
            .batches.upperBound,
          bytes: expected[range].flatMap { Array($0.bytes) })
        try writer?.replace(range, by: merged)
        expected.replaceSubrange(range, with: [merged])
      case 6:
        let target = max(0, batch - random.integer(below: 4))
        let isClean = expected.allSatisfy {
          $0.batches.upperBound < target || $0.batches.lowerBound >= target
        }
        #expect(try writer?.rewind(to: target) == isClean)
        if isClean { expected.removeAll { $0.batches.lowerBound >= target } }
      case 7: try writer?.compact()
      case 8:
        writer = nil
        writer = try open()
      default:
        try reader.refresh()
        #expect(reader.segments == expected)
        try reader.verify()
      }
      #expect(writer?.segments == expected)
    }
    writer = nil
    #expect(try open(isWritable: false).segments == expected)
  }

  /// A file before and after an append, as bytes.
  private func beforeAndAfter() throws -> (before: [UInt8], after: [UInt8]) {
    let file = try open()
    try file.append([Self.segment(0, "one"), Self.segment(1, String(repeating: "two", count: 50))])
    let before = try DurableFile.read(path)
    try file.append([Self.segment(2, String(repeating: "three", count: 30))])
    return (before, try DurableFile.read(path))
  }

  @Test("a crash after any byte of an append leaves the state before it, or after it")
  func crashes() throws {
    let (before, after) = try beforeAndAfter()
    let states = try [before, after].map { bytes in
      try DurableFile.write(bytes, to: path)
      return try open(isWritable: false).segments
    }
    for cut in before.count...after.count {
      // The slots of the head are written last; what is behind the cut is missing, or zeros.
      let kept = before[..<256] + after[256..<cut]
      // A sector is on the disk as a whole or not at all: zeros behind half a record do not come.
      for tail in cut % 64 == 0 ? [0, 1, after.count - cut] : [0] {
        try DurableFile.write(Array(kept) + [UInt8](repeating: 0, count: tail), to: path)
        let reader = try open(isWritable: false)
        // Zeros at its end are part of a whole record.
        let isWhole = cut + tail >= after.count && after[cut...].allSatisfy { $0 == 0 }
        #expect(reader.segments == states[isWhole ? 1 : 0], "cut at \(cut), \(tail) zeros")
        guard cut % 16 == 0 else { continue }
        let writer = try open()
        try writer.append([Self.segment(3, "next")])
        #expect(writer.segments == states[isWhole ? 1 : 0] + [Self.segment(3, "next")])
        try reader.refresh()
        #expect(reader.segments == writer.segments)
      }
    }
  }

  @Test("a flipped bit anywhere is an error, or changes nothing")
  func flips() throws {
    let (_, after) = try beforeAndAfter()
    let expected = try open(isWritable: false).segments
    var errors = 0
    for place in after.indices {
      var damaged = after
      damaged[place] ^= 1 << UInt8(place % 8)
      try DurableFile.write(damaged, to: path)
      do {
        #expect(try open().segments == expected, "byte \(place)")
      } catch let error as SegmentFileError {
        errors += 1
        #expect(error.path == path && error.description.contains("\(path)@"))
      }
    }
    // All of the last list, all segments and the head; not the slots nor what is no longer looked at.
    #expect(errors > 150 + 150 + 64)
  }

  @Test("a file that was cut is an error, to its last byte")
  func cuts() throws {
    let (_, after) = try beforeAndAfter()
    for count in 1..<after.count {
      try DurableFile.write(Array(after[..<count]), to: path)
      #expect(throws: SegmentFileError.self, "\(count) bytes") { try open() }
    }
    try DurableFile.write([UInt8](), to: path)
    let error = #expect(throws: SegmentFileError.self) { try open(isWritable: false) }
    #expect(error?.reason == .empty)
  }

  @Test("other files and newer versions are told from damage")
  func kinds() throws {
    try DurableFile.write("a text of another kind, as long as you like", to: path)
    var error = #expect(throws: SegmentFileError.self) { try open() }
    #expect(error?.reason == .otherKind)
    try DurableFile.remove(path)
    _ = try open()
    error = #expect(throws: SegmentFileError.self) {
      try SegmentFile(path, magic: Array("OTHERSEG".utf8), isWritable: true)
    }
    #expect(error?.reason == .otherKind)
    #expect(throws: FileError.self) {
      try SegmentFile(folder + "/no/file", magic: Self.magic, isWritable: false)
    }
  }

  @Test("one writes at a time, and readers stay")
  func locks() throws {
    var writer: SegmentFile? = try open()
    try writer?.append([Self.segment(0, "x")])
    let error = #expect(throws: SegmentFileError.self) { try open() }
    #expect(error?.reason == .inUse)
    let reader = try open(isWritable: false)
    // The lock goes over to the compacted file.
    try writer?.compact()
    #expect(throws: SegmentFileError.self) { try open() }
    writer = nil
    try open().append([Self.segment(1, "y")])
    try reader.refresh()
    #expect(reader.segments == [Self.segment(0, "x"), Self.segment(1, "y")])
  }

  @Test("what a reader has mapped stays when it is taken back, compacted and removed")
  func mappings() throws {
    let writer = try open()
    try writer.append([Self.segment(0, String(repeating: "a", count: 100_000))])
    try writer.append([Self.segment(1, "b")])
    let reader = try open(isWritable: false)
    #expect(try writer.rewind(to: 0))
    try writer.compact()
    let size = try DurableFile.size(of: path)
    #expect(size < 1000)
    try DurableFile.remove(path)
    #expect(reader.segments[0].bytes.count == 100_000)
    #expect(reader.segments[0].bytes.allSatisfy { $0 == UInt8(ascii: "a") })
  }

  @Test("an append that fails leaves the file as it was, and the next one works")
  func failures() throws {
    struct Stop: Error {}
    let file = try open()
    try file.append([Self.segment(0, "x")])
    let bytes = try DurableFile.read(path)
    let broken = SegmentDraft(kind: 1, batches: 1...1, byteCount: 100_000) { _ in throw Stop() }
    #expect(throws: Stop.self) { try file.replace(1..<1, by: [broken]) }
    #expect(try DurableFile.read(path) == bytes)
    // More than any file may have.
    let huge = SegmentDraft(kind: 1, batches: 1...1, byteCount: 1 << 61) { _ in }
    #expect(throws: FileError.self) { try file.replace(1..<1, by: [huge]) }
    #expect(throws: Stop.self) { try file.compact { _ in throw Stop() } }
    #expect(try DurableFile.read(path) == bytes)
    #expect(try DurableFile.names(in: folder) == ["file"])
    try file.append([Self.segment(1, "y")])
    #expect(try open(isWritable: false).segments == [Self.segment(0, "x"), Self.segment(1, "y")])
  }
}
