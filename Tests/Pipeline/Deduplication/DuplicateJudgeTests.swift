import CaptionMatching
import Deduplication
import Foundation
import PerceptualHash
import PipelineCore
import SeededRandom
import Testing

/// What a judge must say: every pair against every kept one before it.
private struct Reference {
  var reason: DropReason?
  var survivor: Int?

  static func verdicts(_ pairs: [JudgedPair], _ rules: DuplicateRules) -> [Reference] {
    var kept: [JudgedPair] = []
    return pairs.map { pair in
      let rivals =
        rules.scope == .pair ? kept.filter { Pictures.sameCaption($0, pair) } : kept
      if rules.kind != .off, let first = rivals.first(where: { $0.sha256 == pair.sha256 }) {
        return Reference(reason: .duplicateBytes, survivor: first.row)
      }
      let near = rivals.compactMap { other -> (Int, Int)? in
        guard let a = pair.signature, let b = other.signature,
          a.isSamePicture(as: b, radius: rules.radius)
        else { return nil }
        return (a.difference(from: b), other.row)
      }
      if rules.kind == .near, let best = near.min(by: <) {
        return Reference(reason: .duplicatePicture, survivor: best.1)
      }
      let same = kept.filter { Pictures.sameCaption($0, pair) }
      if let limit = rules.captionLimit, same.count >= limit,
        !NormalizedCaption.text(of: pair.caption).isEmpty
      {
        return Reference(reason: .captionLimit, survivor: same[0].row)
      }
      kept.append(pair)
      return Reference()
    }
  }
}

@Suite struct DuplicateJudgeTests {
  static let cases:
    [(kind: DuplicateRules.Kind, scope: DuplicateRules.Scope, radius: Int, limit: Int?)] =
      [
        (.near, .picture, 6, nil), (.near, .picture, 0, nil), (.near, .picture, 12, 3),
        (.near, .pair, 6, nil), (.near, .pair, 6, 5), (.exact, .picture, 6, nil),
        (.exact, .pair, 6, 4), (.off, .picture, 6, 2),
      ]

  static func rules(
    _ this: (kind: DuplicateRules.Kind, scope: DuplicateRules.Scope, radius: Int, limit: Int?)
  )
    -> DuplicateRules
  {
    var rules = DuplicateRules(kind: this.kind)
    (rules.scope, rules.radius, rules.captionLimit) = (this.scope, this.radius, this.limit)
    return rules
  }

  @Test(
    "it says what comparing every pair with every kept one says, however they are cut into batches",
    arguments: cases.indices)
  func reference(number: Int) throws {
    let rules = Self.rules(Self.cases[number])
    var random = RandomStream(seed: 5, path: UInt64(number))
    let pairs = Pictures.pairs(240, seed: UInt64(number))
    let expected = Reference.verdicts(pairs, rules)
    let folder = Pictures.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let judge = try DuplicateJudge(rules, folder: folder, threads: 2)
    var (start, batch) = (0, 0)
    while start < pairs.count {
      let end = min(pairs.count, start + random.integer(below: 60))
      let slice = Array(pairs[start..<end])
      let verdicts = try judge.judge(slice, batch: batch)
      // Once more: the batch that was judged before is forgotten.
      #expect(try judge.judge(slice, batch: batch) == verdicts)
      for (verdict, expected) in zip(verdicts, expected[start..<end]) {
        #expect(verdict.drop?.reason == expected.reason, "row \(verdict.row)")
        #expect(verdict.drop?.survivor == expected.survivor, "row \(verdict.row)")
        guard verdict.drop?.reason == .duplicatePicture, let survivor = expected.survivor,
          let mine = pairs[verdict.row].signature, let theirs = pairs[survivor].signature
        else { continue }
        #expect(
          verdict.match
            == DuplicateMatch(
              distance: mine.distance(to: theirs), difference: mine.difference(from: theirs)))
      }
      (start, batch) = (end, batch + 1)
    }
    let reasons = Set(expected.compactMap(\.reason))
    #expect(reasons.contains(.duplicatePicture) == (rules.kind == .near))
    #expect(reasons.contains(.duplicateBytes) == (rules.kind != .off))
    #expect(reasons.contains(.captionLimit) == (rules.captionLimit != nil))
  }

  @Test("what another judge has kept is restored, and earlier batches can be gone back to")
  func restored() throws {
    let rules = Self.rules((.near, .pair, 6, 3))
    let pairs = Pictures.pairs(200, seed: 77)
    let folders = [Pictures.folder(), Pictures.folder()]
    defer { for folder in folders { try? FileManager.default.removeItem(atPath: folder) } }
    let judge = try DuplicateJudge(rules, folder: folders[0], threads: 1)
    let first = try judge.judge(Array(pairs[..<100]), batch: 0)
    let second = try judge.judge(Array(pairs[100...]), batch: 7)
    let kept = zip(pairs, first).filter { $0.1.drop == nil }.map(\.0)
    let other = try DuplicateJudge(rules, folder: folders[1], threads: 1)
    try other.restore(kept, batch: 0)
    #expect(other.count == kept.count)
    #expect(try other.judge(Array(pairs[100...]), batch: 1) == second)
    #expect(try other.rewind(to: 1))
    #expect(other.count == kept.count)
    #expect(try other.judge(Array(pairs[100...]), batch: 1) == second)
  }

  @Test("a placeholder, a row that was taken out, and a drop that stands")
  func given() throws {
    let folder = Pictures.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let judge = try DuplicateJudge(DuplicateRules(kind: .exact), folder: folder, threads: 1)
    let taken = Pictures.digest("taken")
    judge.taken = { $0 == taken ? 3 : nil }
    judge.placeholders = [11: "under 40 captions"]
    judge.standing = [12: Verdict(row: 12, sha256: "", drop: Drop(.duplicatePicture, survivor: 5))]
    let verdicts = try judge.judge(
      [
        Pictures.pair(10, nil, bytes: "taken"), Pictures.pair(11, nil), Pictures.pair(12, nil),
        Pictures.pair(13, nil), Pictures.pair(14, nil, bytes: "bytes of 12"),
      ], batch: 0)
    #expect(
      verdicts.map(\.drop) == [
        Drop(.duplicateBytes, survivor: 3), Drop(.placeholder, detail: "under 40 captions"),
        Drop(.duplicatePicture, survivor: 5), nil, nil,
      ])
    // Bytes that nobody has hashed are nobody's copies.
    let unknown = (20..<22).map { row in
      var pair = Pictures.pair(row, nil)
      pair.sha256 = DecodedRow.unknownSHA256
      return pair
    }
    #expect(try judge.judge(unknown, batch: 1).allSatisfy { $0.drop == nil })
  }

  @Test("a caption that is nearly that of a kept pair of the batch is a duplicate of its row")
  func nearCaptions() throws {
    let folder = Pictures.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var rules = DuplicateRules(kind: .off)
    rules.captionSimilarity = 0.7
    let judge = try DuplicateJudge(rules, folder: folder, threads: 1)
    let captions = [
      "a small red boat on a very calm lake in the north", "",
      "a small red boat on a very calm lake in the south",
      "nothing of the kind", "",
    ]
    let verdicts = try judge.judge(
      captions.enumerated().map { Pictures.pair($0, nil, caption: $1) }, batch: 0)
    #expect(verdicts.map { $0.drop?.survivor } == [nil, nil, 0, nil, nil])
    #expect(verdicts[2].drop?.reason == .duplicateCaption)
    #expect(verdicts[2].drop?.detail.hasPrefix("similarity 0.") == true)
    // Of an earlier batch too, and by another judge from the files; an equal one is as near as can be.
    let other = try DuplicateJudge(rules, folder: folder + "/copy", threads: 2)
    defer { withExtendedLifetime(other) {} }
    try other.restore([Pictures.pair(0, nil, caption: captions[0])], batch: 0)
    for judge in [judge, other] {
      let later = try judge.judge(
        [
          Pictures.pair(8, nil, caption: "A small red boat on a very calm lake in the WEST."),
          Pictures.pair(9, nil, caption: captions[0].uppercased()), Pictures.pair(10, nil),
        ], batch: 1)
      #expect(later.map { $0.drop?.survivor } == [0, 0, nil])
      #expect(later[1].drop == Drop(.duplicateCaption, detail: "similarity 1.0", survivor: 0))
    }
  }

  @Test("a caption that has been kept often enough is one too many, whatever is near to it")
  func limitFirst() throws {
    let folder = Pictures.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var rules = DuplicateRules(kind: .off)
    (rules.captionLimit, rules.captionSimilarity) = (1, 0.7)
    let judge = try DuplicateJudge(rules, folder: folder, threads: 2)
    let text = "a small red boat on a very calm lake in the"
    // In one slice, in another of the same batch, and in another batch.
    let filler = (0..<1_000).map { Pictures.pair(10 + $0, nil) }
    let more = [
      Pictures.pair(2_000, nil, caption: "\(text) south"),
      Pictures.pair(2_001, nil, caption: "\(text) north!"),
    ]
    let first = Pictures.pair(0, nil, caption: "\(text) north")
    let verdicts = try judge.judge([first] + more + filler + more, batch: 0)
    let later = try judge.judge(more, batch: 1)
    for found in [verdicts[1...2], verdicts[1_003...], later[...]] {
      #expect(found.map { $0.drop?.reason } == [.duplicateCaption, .captionLimit])
      #expect(found.map { $0.drop?.survivor } == [0, 0])
    }
    #expect(verdicts.count { $0.drop == nil } == 1_001)
  }

  @Test("with a limit equal captions count, and near ones are those that are not equal")
  func limitBesideSimilarity() throws {
    var rules = DuplicateRules(kind: .off)
    rules.captionSimilarity = 0.8
    let caption = "a small red boat on the wide blue lake at noon"
    let captions = [caption, caption.uppercased(), caption + " today", caption + ".", caption]
    func reasons(_ limit: Int?, batchesOf size: Int) throws -> [DropReason?] {
      rules.captionLimit = limit
      let folder = Pictures.folder()
      defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
      let judge = try DuplicateJudge(rules, folder: folder, threads: 2)
      let pairs = captions.enumerated().map { Pictures.pair($0.offset, nil, caption: $0.element) }
      return try stride(from: 0, to: pairs.count, by: size).flatMap { start in
        try judge.judge(
          Array(pairs[start..<min(start + size, pairs.count)]), batch: start / size
        ).map { $0.drop?.reason }
      }
    }
    for size in [1, 2, 5] {
      #expect(
        try reasons(3, batchesOf: size) == [nil, nil, .duplicateCaption, nil, .captionLimit])
      let near = [DropReason?](repeating: .duplicateCaption, count: 4)
      #expect(try reasons(nil, batchesOf: size) == [nil] + near)
    }
  }

  @Test("look-alikes by the thousand are judged as one by one, on any number of threads")
  func lookAlikes() throws {
    var random = RandomStream(seed: 51)
    // All with one key: strangers, and now and then a copy of an earlier one.
    var signatures: [PictureSignature] = []
    for row in 0..<700 {
      var bytes = [UInt8](repeating: 0, count: PictureSignature.byteCount)
      if row % 9 == 8 {
        bytes = signatures[random.integer(below: row)].bytes
        bytes[20] ^= UInt8(random.integer(below: 2))
      } else {
        for place in 11..<bytes.count { bytes[place] = UInt8(random.integer(below: 256)) }
        (bytes[9], bytes[10]) = (20, 200)
      }
      bytes[7] = UInt8(random.integer(below: 4))
      signatures.append(try #require(PictureSignature(bytes: bytes)))
    }
    let pairs = signatures.enumerated().map {
      Pictures.pair($0.offset, $0.element, caption: $0.offset % 3 == 0 ? "a" : "b")
    }
    for scope in [DuplicateRules.Scope.picture, .pair] {
      var rules = DuplicateRules(kind: .near)
      (rules.scope, rules.radius) = (scope, 6)
      let expected = Reference.verdicts(pairs, rules)
      try #require(expected.contains { $0.reason == .duplicatePicture })
      var all: [[Verdict]] = []
      for threads in [1, 3] {
        let folder = Pictures.folder()
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
        let judge = try DuplicateJudge(rules, folder: folder, threads: threads)
        var verdicts: [Verdict] = []
        for (batch, range) in [0..<400, 400..<700].enumerated() {
          verdicts += try judge.judge(Array(pairs[range]), batch: batch)
        }
        #expect(verdicts.map { $0.drop?.reason } == expected.map(\.reason))
        #expect(verdicts.map { $0.drop?.survivor } == expected.map(\.survivor))
        for verdict in verdicts {
          guard let survivor = verdict.drop?.survivor else { continue }
          let (one, other) = (signatures[verdict.row], signatures[survivor])
          #expect(verdict.match?.distance == one.distance(to: other))
          #expect(verdict.match?.difference == one.difference(from: other))
        }
        all.append(verdicts)
      }
      #expect(all[0] == all[1])
    }
  }
}
