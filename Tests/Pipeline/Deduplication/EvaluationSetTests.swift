import ContentHashing
import Deduplication
import DurableFiles
import Foundation
import ImageCodec
import PairDataset
import PerceptualHash
import PipelineCore
import Testing

@Suite struct EvaluationSetTests {
  /// A folder of three pictures and a note, a tar of two, and a list.
  static func make() throws -> (root: String, sets: [String]) {
    let root = Pictures.folder()
    try FileManager.default.createDirectory(
      atPath: root + "/test/deep", withIntermediateDirectories: true)
    for (number, name) in ["a.png", "deep/b.PNG", "deep/c.jpg"].enumerated() {
      try DurableFile.write(try jpeg(number), to: "\(root)/test/\(name)")
    }
    try DurableFile.write("no picture", to: root + "/test/notes.txt")
    try DurableFile.write("no picture", to: root + "/test/broken.jpg")
    let writer = try ShardWriter(folder: root, name: "00000", compression: .lz4)
    for number in 3..<5 {
      try writer.append(
        Pair(
          key: "key\(number)", caption: "", image: try jpeg(number), imageExtension: "jpg",
          metadata: Array("{}".utf8)))
    }
    _ = try writer.finish()
    let hash = PerceptualHash(of: Pictures.scene(5)).hex
    // Lines end as one system or the other has them.
    let list = "# hashes\n\r\n\(hash)\r\n  \(ContentHash.sha256Hex(Array("known".utf8)))  note\n"
    try DurableFile.write(list, to: root + "/hashes.txt")
    return (root, ["\(root)/test", "\(root)/00000.tar.lz4", "\(root)/hashes.txt"])
  }

  static func jpeg(_ number: Int, quality: Int = 95) throws -> [UInt8] {
    try ImageEncoder.jpeg(Pictures.scene(number), quality: quality)
  }

  /// A pair as decoding a copy of the scene at another quality gives it.
  static func copy(_ row: Int, of number: Int, quality: Int = 70) throws -> JudgedPair {
    let image = try ImageDecoder.decode(try jpeg(number, quality: quality))
    return Pictures.pair(row, PictureSignature(of: image))
  }

  @Test("what is near a picture of a folder, a tar or a list is dropped, with its name")
  func dropped() throws {
    let (root, sets) = try Self.make()
    defer { try? FileManager.default.removeItem(atPath: root) }
    var rules = DuplicateRules(kind: .off)
    rules.evaluationSets = sets
    let prepared = try EvaluationSet.prepare(sets, in: root + "/run")
    #expect(prepared.map(\.count) == [3, 2, 2])
    #expect(prepared.map(\.refused) == [1, 0, 0])
    #expect(
      prepared[0].words
        == "evaluation set test: 3 pictures or hashes; 1 more files are no pictures that can be looked at"
    )
    // Looked at once.
    try FileManager.default.removeItem(atPath: root + "/test/a.png")
    try DurableFile.write(try Self.jpeg(0), to: root + "/test/a.png")
    #expect(try EvaluationSet.prepare(sets, in: root + "/run") == prepared)
    let judge = try DuplicateJudge(
      rules, folder: root + "/judge", threads: 1,
      references: try DuplicateReferences(rules, folder: root + "/run", evaluation: prepared))
    var pairs = try (0..<7).map { try Self.copy($0, of: $0) }
    pairs.append(Pictures.pair(7, nil, bytes: "known"))
    let verdicts = try judge.judge(pairs, batch: 0)
    #expect(
      verdicts.map { $0.match?.source } == [
        "test", "test", "test", "00000.tar.lz4", "00000.tar.lz4", "hashes.txt", nil, "hashes.txt",
      ])
    #expect(
      verdicts.map { $0.match?.uid } == [
        "a.png", "deep/b.PNG", "deep/c.jpg", "key3", "key4",
        PerceptualHash(of: Pictures.scene(5)).hex, nil,
        ContentHash.sha256Hex(Array("known".utf8)),
      ])
    for (row, verdict) in verdicts.enumerated() {
      #expect(verdict.drop?.reason == (row == 6 ? nil : .evaluationSet))
      #expect(verdict.drop?.survivor == nil)
      // The finer part is unknown of a bare hash, and nobody looks where the bytes are equal.
      #expect((verdict.match?.difference != nil) == (row < 5))
    }
  }

  @Test("a set that is missing, empty, or no list of hashes is refused with what it lacks")
  func refused() throws {
    let (root, _) = try Self.make()
    defer { try? FileManager.default.removeItem(atPath: root) }
    try DurableFile.makeFolder(root + "/empty")
    try DurableFile.makeFolder(root + "/broken")
    try DurableFile.write("no picture", to: root + "/broken/one.jpg")
    try DurableFile.write("0123456789abcdef\n0123\n", to: root + "/short.txt")
    try DurableFile.write("", to: root + "/nothing.txt")
    try DurableFile.write("no tar", to: root + "/cut.tar")
    for (name, words) in [
      ("missing", "there: no file or folder"), ("empty", "a folder with pictures or tars in it"),
      ("broken", "a set with a picture in it; 1 files"), ("short.txt", "line 2 is neither 16"),
      ("nothing.txt", "a set with a picture in it"), ("cut.tar", "a tar that can be read"),
    ] {
      let error = #expect(throws: RecipeError.self) {
        _ = try EvaluationSet.prepare(["\(root)/\(name)"], in: root + "/run")
      }
      #expect(error?.description.contains(words) == true, "\(name): \(error?.description ?? "")")
      #expect(error?.description.hasPrefix("duplicates.evaluation_sets: ") == true)
    }
  }

  @Test("a run is bound to what the sets hold, not to where they lie")
  func identity() throws {
    let (root, sets) = try Self.make()
    defer { try? FileManager.default.removeItem(atPath: root) }
    let before = try EvaluationSet.identities(sets)
    try FileManager.default.moveItem(atPath: root + "/test", toPath: root + "/moved")
    #expect(try EvaluationSet.identities(["\(root)/moved"])[0] == before[0])
    try DurableFile.write(Array(repeating: 0, count: 9), to: root + "/moved/d.jpg")
    #expect(try EvaluationSet.identities(["\(root)/moved"])[0] != before[0])
    try DurableFile.write("0123456789abcdef\n", to: sets[2])
    #expect(try EvaluationSet.identities([sets[2]])[0] != before[2])
  }
}
