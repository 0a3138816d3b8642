import Deduplication
import PerceptualHash
import PipelineCore

/// The decoded pairs of a chunk, from its tables.
struct ChunkPairs {
  /// In row order, as they are judged.
  var pairs: [JudgedPair] = []
  /// The rows whose picture was decoded, in order; those that were taken out too.
  var rows: [Int] = []
  /// Rows that `pairloom forget` has taken out.
  var taken: Set<Int> = []

  /// - Throws: What is wrong with the tables.
  init(_ chunk: Int, in folder: RunFolder, _ rules: DuplicateRules, _ forgotten: ForgottenPairs)
    throws
  {
    let decoded = try PairTable.read(folder.decodedTable(chunk), as: DecodedRow.init)
      .filter { $0.drop == nil }
    let candidates = try JSONLines.read(folder.chunkTable(chunk), as: PairCandidate.init)
    let byRow = Dictionary(candidates.map { ($0.row, $0) }, uniquingKeysWith: { first, _ in first })
    taken = forgotten.isEmpty ? [] : Set(forgotten.split(candidates).taken.map(\.row))
    for picture in decoded {
      rows.append(picture.row)
      if taken.contains(picture.row) || forgotten.contains(sha256: picture.sha256) {
        taken.insert(picture.row)
        continue
      }
      guard let candidate = byRow[picture.row] else {
        throw StageError(
          .deduplicate, chunk: chunk, "the tables disagree about row \(picture.row) of the list")
      }
      pairs.append(
        JudgedPair(
          row: picture.row, uid: candidate.uid, sha256: picture.sha256,
          signature: picture.signature.flatMap(PictureSignature.init(text:)),
          caption: candidate.caption, url: candidate.url,
          quality: Self.quality(of: picture, candidate, rules)))
    }
  }

  /// A pair without a number in the column is the worst; so is a picture of unknown size.
  private static func quality(
    of picture: DecodedRow, _ candidate: PairCandidate, _ rules: DuplicateRules
  ) -> Double {
    guard rules.keep == .best else { return 0 }
    if let column = rules.bestColumn {
      let value = candidate.columns.last { $0.key == column }?.value
      let number = value?.double ?? value?.text.flatMap(Double.init)
      return number.flatMap { $0.isNaN ? nil : $0 } ?? -.infinity
    }
    guard let width = picture.originalWidth, let height = picture.originalHeight else { return 0 }
    return Double(width) * Double(height)
  }

  /// The verdicts on all decoded rows: those on ``pairs``, and that the others are taken out.
  func verdicts(_ judged: [Verdict]) -> [Verdict] {
    var rest = judged[...]
    return rows.map { row in
      if taken.contains(row) {
        return Verdict(row: row, sha256: Self.noHash, drop: Drop(.forgotten))
      }
      guard let verdict = rest.popFirst(), verdict.row == row else {
        preconditionFailure("row \(row) got no verdict")
      }
      return verdict
    }
  }

  /// Stands for the digest of a picture that was taken out.
  private static let noHash = String(repeating: "0", count: 64)
}
