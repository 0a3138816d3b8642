import ArgumentParser
import Foundation
import PerceptualHash
import PipelineCore

/// `duplicates`: how many copies of pictures are found, and what else is taken for one.
struct DuplicatesBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "duplicates",
    abstract: "Recall and precision of near duplicates among pictures of which the truth is known.",
    discussion: """
      Prints a line per radius: recall and precision over all pairs of originals and copies that were \
      encoded anew, resized or made brighter or darker, by the key alone (candidate_…) and after the check; \
      the wrong pairs among these and among all kinds; the pairs of look-alikes (flags of one scheme, emoji of \
      several skins), which count as neither; and the recall of each kind between original and copy. \
      Pairs that are near by nature count as neither too. Then the same for each half of the originals, and a line with what a signature \
      and a comparison cost.

      The folder has corpus/captions.jsonl (path, natural_group, lookalike_group) and \
      variants/variants.jsonl (path, of, kind), with the pictures beside them.
      """)

  @Option(help: "The folder.")
  var data: String

  @Option(help: "The most difference of two signatures that are one picture.")
  var difference = PictureSignature.usualDifference

  @Flag(help: "Print a table too, and the wrong pairs within the largest radius.")
  var table = false

  @OptionGroup var repetition: RoundOptions

  private static let radii = Array(4...12)

  func run() throws {
    let pictures = try LabelledPicture.all(in: data)
    var signatures: [PictureSignature?] = []
    let seconds = try Rounds.Clock.processor.seconds {
      signatures = try LabelledPicture.signatures(of: pictures)
    }
    let rounds = Rounds(clock: .processor, seconds: [seconds])
    let pairs = LabelledPair.all(
      among: pictures, signatures, radius: Self.radii.max() ?? 0)
    for radius in Self.radii {
      print(pairs, pictures, radius, half: nil, rounds)
    }
    for half in [true, false] {
      let chosen = pairs.filter {
        pictures[$0.first].isFirstHalf == half && pictures[$0.second].isFirstHalf == half
      }
      for radius in [6, 8, 10] {
        print(chosen, pictures, radius, half: half ? "first" : "second", rounds)
      }
    }
    try SignatureCost.print(pictures, rounds: repetition.rounds)
    if table {
      Swift.print(Self.table(pairs, pictures, difference))
      for pair in pairs.sorted(by: { $0.difference < $1.difference })
      where pair.truth != .same && pair.isFound(Self.radii.max() ?? 0, difference) {
        Swift.print(
          "\(pair.truth): distance \(pair.distance), difference \(pair.difference): "
            + "\(pictures[pair.first].path) \(pictures[pair.second].path)")
      }
    }
  }

  private func print(
    _ pairs: [LabelledPair], _ pictures: [LabelledPicture], _ radius: Int, half: String?,
    _ rounds: Rounds
  ) {
    let score = DuplicateScore(pairs, pictures, radius: radius, difference: difference)
    Figure(
      name: "duplicates",
      values: [.init("side", .string("pairloom"))]
        + (half.map { [.init("half", .string($0))] } ?? [])
        + [
          .init("radius", .int(radius)), .init("difference", .int(difference)),
          .init("pictures", .int(pictures.count)), .init("true_pairs", .int(score.truePairs)),
          .init("candidate_recall", .rounded(score.candidateRecall)),
          .init("candidate_precision", .rounded(score.candidatePrecision)),
          .init("recall", .rounded(score.recall)), .init("precision", .rounded(score.precision)),
          .init("wrong", .int(score.wrong)),
          .init("wrong_of_all_kinds", .int(score.wrongOfAllKinds)),
          .init("lookalikes", .int(score.lookalikes)), .init("natural", .int(score.natural)),
          .init(
            "candidate_recalls",
            .object(score.kinds.map { .init($0.kind, .rounded($0.candidates)) })),
          .init("recalls", .object(score.kinds.map { .init($0.kind, .rounded($0.found)) })),
        ], threads: 1, rounds: rounds
    ).print()
  }

  /// Kinds down, radii across: recall after the check, and by the key alone.
  private static func table(
    _ pairs: [LabelledPair], _ pictures: [LabelledPicture], _ difference: Int
  ) -> String {
    let scores = radii.map {
      DuplicateScore(pairs, pictures, radius: $0, difference: difference)
    }
    func row(_ name: String, _ cells: [String]) -> String {
      "| \(name) | " + cells.joined(separator: " | ") + " |"
    }
    func share(_ value: Double) -> String { String(format: "%.3f", value) }
    var lines = [
      row("radius", radii.map { "\($0)" }), row("---", radii.map { _ in "---" }),
      row("recall", scores.map { share($0.recall) }),
      row("precision", scores.map { String(format: "%.4f", $0.precision) }),
      row("recall unchecked", scores.map { share($0.candidateRecall) }),
      row("precision unchecked", scores.map { share($0.candidatePrecision) }),
    ]
    for (index, kind) in (scores.first?.kinds ?? []).enumerated() {
      lines.append(
        row(
          "\(kind.kind) (unchecked)",
          scores.map { "\(share($0.kinds[index].found)) (\(share($0.kinds[index].candidates)))" }))
    }
    return lines.joined(separator: "\n")
  }
}
