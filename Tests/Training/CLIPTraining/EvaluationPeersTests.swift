import CLIPModel
import CLIPTraining
import Collectives
import Foundation
import ImageCodec
import PairDataset
import RankThreads
import TestTools
import Testing

/// What `Tests/Support/Peers/evaluation.py` prints.
private struct Theirs: Decodable {
  var metrics: [String: Double]
  var top1, top5, auc: Double
  var images, texts, classes: [Float]
}

@Suite("Evaluation beside open_clip's own", .serialized, .peers("open_clip", "open_clip_train"))
struct EvaluationPeersTests {
  @Test("exported weights have open_clip's figures: every recall, rank and top-k, features to 1e-5")
  func figures() async throws {
    let data = try ColouredSquares()
    defer { data.remove() }
    let out = data.folder + "/out"
    // Partly learned: neither every rank is 1 nor are the scores those of chance.
    let manifest = try data.manifest([
      "tokenizer=clip", "steps=25", "model.text_cfg.vocab_size=49408",
    ])
    _ = try CLIPTrainingRun.run(manifest: manifest, folder: out, group: .alone)
    let trained = try TrainedCLIP.load(out)
    let here = data.folder + "/theirs"
    try CLIPBundle.export(
      trained.model, preprocessing: CLIPBundle.read(out).preprocessing, tokenizer: nil,
      layout: .openCLIP, to: here + "/open_clip")
    let pairs = try (0..<64).map { try ColouredSquares.pair($0) }
    // A class for each picture, so that the first five are not all.
    let names = pairs.map(\.caption)
    let templates = ["{}", "a drawing of {}.", "{}, on grey"]
    var listed: [[String: Any]] = []
    for (index, pair) in pairs.enumerated() {
      try Data(pair.image).write(to: URL(fileURLWithPath: "\(here)/\(index).png"))
      listed.append(["file": "\(index).png", "caption": pair.caption, "label": index])
    }
    try JSONSerialization.data(withJSONObject: listed)
      .write(to: URL(fileURLWithPath: here + "/pairs.json"))
    try JSONSerialization.data(withJSONObject: ["names": names, "templates": templates])
      .write(to: URL(fileURLWithPath: here + "/classes.json"))
    let theirs = try JSONDecoder().decode(
      Theirs.self,
      from: Data(
        try await PeerPython.run([
          ProjectFolder.root + "/Tests/Support/Peers/evaluation.py", here,
        ]).bytes))

    let encoder = SharedEncoder(trained, in: .alone)
    let retrieval = try #require(
      try RetrievalExam(ExamPairs([data.dataset])).taken(with: encoder))
    for (name, ours) in [
      ("image_to_text", retrieval.imageToText), ("text_to_image", retrieval.textToImage),
    ] {
      #expect(ours.recallAt1 == theirs.metrics[name + "_R@1"])
      #expect(ours.recallAt5 == theirs.metrics[name + "_R@5"])
      #expect(ours.recallAt10 == theirs.metrics[name + "_R@10"])
      #expect(ours.meanRank == theirs.metrics[name + "_mean_rank"])
      // open_clip rounds a median between two ranks down.
      #expect(ours.medianRank.rounded(.down) == theirs.metrics[name + "_median_rank"])
    }
    let auc = try #require(retrieval.auc)
    #expect(abs(auc - theirs.auc) < 1e-12)
    // Figures of a model that knows nothing, or all, would agree as well.
    #expect(retrieval.imageToText.recallAt1 < 1 && retrieval.imageToText.meanRank < 25)

    let exam = try data.classes(pairs, named: "labelled")
    let zeroShotExam = try ZeroShotExam(
      ExamPairs([exam]), names: names, templates: templates, label: "number")
    let zeroShot = try #require(
      try zeroShotExam.taken(with: encoder, labels: zeroShotExam.labels(sharing: encoder)))
    #expect(zeroShot.top1 == theirs.top1 && zeroShot.top5 == theirs.top5)
    #expect(zeroShot.top5 < 1 && zeroShot.top5 > zeroShot.top1)

    let pictures = try pairs.map { try ImageDecoder.decode($0.image) }
    for (ours, theirs) in [
      (trained.imageFeatures(pictures).values, theirs.images),
      (trained.textFeatures(pairs.map(\.caption)).values, theirs.texts),
      (try encoder.classVectors(names: names, templates: templates).values, theirs.classes),
    ] {
      #expect(ours.count == theirs.count)
      // Components of vectors of length one.
      #expect(zip(ours, theirs).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }
}
