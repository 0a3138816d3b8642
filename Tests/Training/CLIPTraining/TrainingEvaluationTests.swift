import CLIPTraining
import Collectives
import DistributedTraining
import DurableFiles
import Foundation
import PairDataset
import RankThreads
import SeededRandom
import TensorEngine
import Testing

extension ColouredSquares {
  /// A shard of these pairs with the name of the colour in their JSON.
  func classes(_ pairs: [Pair], named name: String) throws -> String {
    let writer = try ShardWriter(folder: folder, name: name, compression: .none)
    for (index, pair) in pairs.enumerated() {
      var labelled = pair
      // By name and by number, turn by turn.
      let label = index % 2 == 0 ? "\"\(Self.colours[index / 8].name)\"" : "\(index / 8)"
      labelled.metadata = Array(
        "{\"colour\":\(label),\"number\":\(index),\"size\":[24,24]}".utf8)
      try writer.append(labelled)
    }
    return folder + "/" + (try writer.finish().file)
  }
}

@Suite(.serialized) struct TrainingEvaluationTests {
  private func settings(_ shard: String) -> [String] {
    [
      "steps=6", "optimizer.warmup_steps=2", "log_every=4", "evaluation.every_steps=4",
      "evaluation.retrieval={data: \(shard), limit: 40}",
      "evaluation.zeroshot={colours: {data: [\(shard)], classes: [red, green, blue, yellow, "
        + "white, black, pink, cyan], templates: ['a {} square', '{}'], label: colour}}",
    ]
  }

  private func lines(_ folder: String) throws -> [[String: Any]] {
    try String(decoding: DurableFile.read(folder + "/metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n").map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
  }

  @Test("every so many steps and at the end, with the same bits for any number of ranks")
  func ranks() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let pairs = try (0..<64).map { try ColouredSquares.pair($0) }
    let shard = try data.classes(pairs, named: "exam")
    let manifest = try data.manifest(settings(shard))
    let out = data.folder + "/one"
    _ = try CLIPTrainingRun.run(manifest: manifest, folder: out, group: .alone)
    let told = try lines(out).filter { $0["evaluation"] != nil }
    #expect(told.compactMap { $0["step"] as? Int } == [4, 6])
    let figures = try #require(told.last?["evaluation"] as? [String: Double])
    #expect(figures.count == 14)
    // The same weights by any number of ranks, uneven shares among them.
    let trained = try #require(manifest.evaluation)
    for world in [1, 2, 3, 5] {
      let results = try Ranks.run(world) { group in
        let model = try TrainedCLIP.load(out)
        return try TrainingEvaluation(trained, of: model, in: group, manifest: "m")
          .figures(of: model)
      }.map { try $0.get() }
      #expect(results[0] == figures)
      #expect(results.dropFirst().allSatisfy { $0.isEmpty })
    }
  }

  @Test("a set that is missing, unreadable or without classes ends the run before its first step")
  func refusals() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    try DurableFile.write("no tar", to: data.folder + "/text.tar")
    for (setting, word) in [
      ("evaluation={retrieval: {data: \(data.folder)/nowhere.json}}", "nowhere.json"),
      ("evaluation={retrieval: {data: \(data.folder)/text.tar}}", "text.tar"),
      ("evaluation={zeroshot: {data: \(data.dataset), classes: [a, b]}}", "none of the classes"),
      ("evaluation={zeroshot: {data: \(data.dataset), classes: [a, a]}}", "named twice"),
      ("evaluation={zeroshot: {data: \(data.dataset), classes: [a, b], templates: [a]}}", "{}"),
      ("evaluation={averages: true, retrieval: {data: \(data.dataset)}}", "averages"),
    ] {
      let out = data.folder + "/out"
      let error = #expect(throws: ManifestError.self) {
        try CLIPTrainingRun.run(
          manifest: try data.manifest([setting]), folder: out, group: .alone)
      }
      #expect(error?.description.contains(word) == true, "\(String(describing: error))")
      #expect(!DurableFile.exists(out + "/metrics.jsonl"))
    }
    for (setting, word) in [
      ("evaluation={}", "asks for nothing"), ("evaluation={retrieval: {}}", "asks for nothing"),
      ("evaluation={retrieval: {limit: 3, data: [1, [2]]}}", "data"),
      (
        "evaluation={retrieval: {a: {data: x}}, zeroshot: {a: {data: x, classes: [a, b]}}}",
        "two sets"
      ),
      ("evaluation={retrieval: {data: x, classes: y}}", "classes"),
      ("evaluation={zeroshot: {data: x}}", "classes"),
      ("evaluation={zeroshot: {data: x, classes: /nowhere/classes.txt}}", "nowhere"),
    ] {
      let error = #expect(throws: ManifestError.self) { try data.manifest([setting]) }
      #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }
  }

  @Test("pictures that cannot be decoded are left out, counted, and told once")
  func undecodable() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    var pairs = try (0..<64).map { try ColouredSquares.pair($0) }
    for index in [3, 40] { pairs[index].image = Array("no picture".utf8) }
    let damaged = try data.classes(pairs, named: "damaged")
    let whole = try data.classes(
      pairs.indices.filter { ![3, 40].contains($0) }.map { pairs[$0] }, named: "whole")
    var notes: [String] = []
    let manifest = try data.manifest(
      settings(damaged).filter { !$0.contains("colours") }.map {
        $0.replacingOccurrences(of: ", limit: 40", with: "")
      })
    let out = data.folder + "/out"
    _ = try CLIPTrainingRun.run(
      manifest: manifest, folder: out, group: .alone, note: { notes.append($0) })
    #expect(notes.count == 1)
    #expect(notes.first?.contains("retrieval: 2 of 64 pictures") == true, "\(notes)")
    let encoder = SharedEncoder(try TrainedCLIP.load(out), in: .alone)
    var result = try #require(try RetrievalExam(ExamPairs([damaged])).taken(with: encoder))
    #expect(result.undecodable == 2)
    result.undecodable = 0
    let clean = try RetrievalExam(ExamPairs([whole])).taken(with: encoder)
    #expect(result == clean)
  }

  @Test("features that are no numbers score as chance, not as perfect")
  func notANumber() {
    let nothing = Tensor(shape: [4, 2], [Float](repeating: .nan, count: 8))
    let result = Retrieval(images: nothing, texts: nothing, imageOfText: Array(0..<4))
    for direction in [result.imageToText, result.textToImage] {
      #expect(direction.recallAt1 == 0 && direction.meanRank == 2.5)
    }
    #expect(ZeroShot(images: nothing, classVectors: nothing, labels: [0, 1, 2, 3]).top1 == 0)
  }

  @Test(
    "ranks, recalls and AUC are those of counting, for several captions and many ties",
    arguments: 0..<60)
  func counting(seed: Int) {
    var random = RandomStream(seed: UInt64(seed))
    let (imageCount, width) = (1 + random.integer(below: 90), 1 + random.integer(below: 5))
    // Few levels: rows are often equal.
    func rows(_ count: Int) -> [[Float]] {
      (0..<count).map { _ in (0..<width).map { _ in Float(random.integer(below: 3)) - 1 } }
    }
    let images = rows(imageCount)
    let owners = (0..<1 + random.integer(below: 120)).map { _ in random.integer(below: imageCount) }
    let texts = rows(owners.count)
    // Exact in Float: products of small integers.
    func score(_ image: Int, _ text: Int) -> Float {
      zip(images[image], texts[text]).reduce(0) { $0 + $1.0 * $1.1 }
    }
    func place(_ other: Float, _ own: Float) -> Double { other > own ? 1 : other == own ? 0.5 : 0 }
    let result = Retrieval(
      images: Tensor(shape: [imageCount, width], images.flatMap { $0 }),
      texts: Tensor(shape: [owners.count, width], texts.flatMap { $0 }), imageOfText: owners)
    let textRanks = owners.indices.map { text in
      images.indices.filter { $0 != owners[text] }
        .reduce(1) { $0 + place(score($1, text), score(owners[text], text)) }
    }
    let imageRanks = images.indices.filter { owners.contains($0) }.map { image in
      let best = owners.indices.filter { owners[$0] == image }.map { score(image, $0) }.max() ?? 0
      return owners.indices.filter { owners[$0] != image }
        .reduce(1) { $0 + place(score(image, $1), best) }
    }
    for (ours, ranks) in [(result.textToImage, textRanks), (result.imageToText, imageRanks)] {
      #expect(ours.queries == ranks.count)
      #expect(ours.meanRank == ranks.reduce(0, +) / Double(ranks.count))
      for (recall, k) in [(ours.recallAt1, 1.0), (ours.recallAt5, 5), (ours.recallAt10, 10)] {
        #expect(recall == Double(ranks.count { $0 <= k }) / Double(ranks.count))
      }
    }
    let own = owners.indices.map { score(owners[$0], $0) }
    let crossed = owners.indices.compactMap { text -> Float? in
      let other = owners[(text + owners.count / 2) % owners.count]
      return other == owners[text] ? nil : score(other, text)
    }
    let wins = own.reduce(0) { sum, one in sum + crossed.reduce(0) { $0 + place(one, $1) } }
    #expect(result.auc == (crossed.isEmpty ? nil : wins / Double(own.count * crossed.count)))
  }

  @Test("the mean per-class recall gives every class that has pictures the same weight")
  func perClass() {
    let classes = EvaluationTests.identity(Array(0..<3), width: 3)
    let images = EvaluationTests.identity([0, 0, 0, 1], width: 3)
    // Class 0: 3 of 3; class 1: none of 1, as its picture looks like class 1 but is called 2.
    let result = ZeroShot(images: images, classVectors: classes, labels: [0, 0, 0, 2])
    #expect(result.meanPerClassRecall == 0.5 && result.top1 == 0.75)
  }

  @Test("a pair has the caption that training takes, wherever a foreign shard keeps it")
  func foreignCaption() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    var pair = try ColouredSquares.pair(0)
    pair.caption = ""
    let writer = try ShardWriter(folder: data.folder, name: "foreign", compression: .none)
    try writer.append(pair)
    (pair.key, pair.hasText) = ("other", false)
    pair.metadata = Array("{\"caption\":\"a red square\"}".utf8)
    try writer.append(pair)
    let shard = data.folder + "/" + (try writer.finish().file)
    let exam = try ExamPairs([shard])
    #expect(try (0..<2).map { try exam.pair(at: $0).caption } == ["", "a red square"])
  }

  @Test("a limit spreads over all shards and takes each pair at most once")
  func limit() throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let pairs = try (0..<64).map { try ColouredSquares.pair($0) }
    let shards = [
      try data.classes(Array(pairs[..<10]), named: "a"),
      try data.classes(Array(pairs[10...]), named: "b"),
    ]
    for limit in [1, 3, 40, 64, 1_000] {
      let exam = try ExamPairs(shards, limit: limit)
      let count = min(limit, 64)
      #expect(exam.count == count)
      let keys = try (0..<count).map { try exam.pair(at: $0).key }
      #expect(keys == (0..<count).map { pairs[$0 * 64 / count].key })
    }
  }
}
