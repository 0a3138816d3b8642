import CaptionMatching
import PerceptualHash
import PictureIndex
public import PipelineCore

/// Decides on pairs in order of rows: what is a duplicate of what was kept before it.
///
/// It owns a folder with its indexes: what it has kept lies there and survives a kill. A pair is looked at
/// in this order: is it in an evaluation set; is its picture a placeholder; are its bytes, or is its
/// picture, those of a pair that is kept; is its caption. Of several survivors the one with the least
/// difference is named, then one of another run's index, then the earliest row.
///
/// Memory: the batch and what of it is found, whatever the indexes hold. One judge at a time may have the
/// folder.
public final class DuplicateJudge {
  let rules: DuplicateRules
  let threads: Int
  let kept: KeptPairs
  let references: DuplicateReferences
  /// The rows of placeholders, which are dropped, with what each stands under (``PlaceholderGroups``).
  public var placeholders: [Int: String] = [:]
  /// Drops that stay, by row, where nothing else drops the pair.
  public var standing: [Int: Verdict] = [:]
  /// The rows of pictures that were kept until `pairloom forget` took them out, by SHA-256.
  public var taken: (_ sha256: String) -> Int? = { _ in nil }
  /// Pictures that are looked for at a time: bounds what many copies of one picture take.
  private static let slice = 512

  /// What was decided on a batch, before it counts.
  public struct Decision {
    public let batch: Int
    /// In order.
    public let verdicts: [Verdict]
    /// What is kept, in order.
    public let kept: [JudgedPair]
    /// Their captions, looked up already; nil where nobody has.
    let captions: CaptionBatch?

    public init(batch: Int, verdicts: [Verdict], kept: [JudgedPair]) {
      self.init(batch: batch, verdicts: verdicts, kept: kept, captions: nil)
    }

    init(batch: Int, verdicts: [Verdict], kept: [JudgedPair], captions: CaptionBatch?) {
      self.batch = batch
      self.verdicts = verdicts
      self.kept = kept
      self.captions = captions
    }
  }

  /// - Parameters:
  ///   - rules: What counts.
  ///   - folder: For its indexes; made where it is not there.
  ///   - threads: Cores to use.
  ///   - references: What else the pairs are held against; nil opens what the rules name, and looks at
  ///     pictures of evaluation sets that nobody has looked at here and now, in this process.
  /// - Throws: What is wrong with the rules, an index or a set.
  public init(
    _ rules: DuplicateRules, folder: String, threads: Int, references: DuplicateReferences? = nil
  ) throws {
    try rules.check()
    self.rules = rules
    self.threads = threads
    kept = try KeptPairs(rules, folder: folder, threads: threads)
    self.references = try references ?? DuplicateReferences(rules, folder: folder)
  }

  /// The highest batch that is in the indexes.
  public var lastBatch: Int? { kept.lastBatch }
  /// Pairs in the indexes.
  public var count: Int { kept.pictures.count }
  /// What the indexes hold, in a word.
  public var contentHash: String { kept.pictures.contentHash }
  /// Whether the indexes hold the same batches.
  public var isEven: Bool { kept.isEven }

  /// Takes back every batch from `batch` on.
  ///
  /// - Returns: False where the indexes cannot tell them apart any more: ``empty(_:)`` the folder, and
  ///   restore every batch.
  public func rewind(to batch: Int) throws -> Bool { try kept.rewind(to: batch) }

  /// Adds what a batch had kept, as its tables tell.
  public func restore(_ pairs: [JudgedPair], batch: Int) throws {
    try kept.append(pairs, captions: nil, batch: batch)
  }

  /// Removes the indexes of a folder; no judge may have it.
  public static func empty(_ folder: String) throws { try KeptPairs.remove(in: folder) }

  /// The verdicts on a batch, in order; its kept pairs are in the indexes when this returns.
  ///
  /// - Parameters:
  ///   - pairs: In the order in which they count.
  ///   - batch: Its number; batches from it on that were judged before are forgotten.
  /// - Returns: A verdict for each pair.
  /// - Throws: ``DuplicateIndexError`` where earlier batches cannot be told from later ones any more.
  public func judge(_ pairs: [JudgedPair], batch: Int) throws -> [Verdict] {
    if let last = lastBatch, last >= batch, try !rewind(to: batch) {
      throw DuplicateIndexError(folder: kept.folder, batch: batch)
    }
    let decision = try decide(pairs, batch: batch)
    try commit(decision)
    return decision.verdicts
  }

  /// Makes a decision count, the last that was made.
  public func commit(_ decision: Decision) throws {
    try kept.append(decision.kept, captions: decision.captions, batch: decision.batch)
  }

  /// What ``judge(_:batch:)`` would say; nothing is changed.
  ///
  /// Goes by all batches that the indexes hold.
  public func decide(_ pairs: [JudgedPair], batch: Int) throws -> Decision {
    var verdicts: [Verdict] = []
    var keeping: [JudgedPair] = []
    let pictures = BatchPictures()
    let captions = BatchCaptions(pairs, rules, kept.captions, threads: threads)
    for start in stride(from: 0, to: pairs.count, by: Self.slice) {
      try Task.checkCancellation()
      let slice = Array(pairs[start..<min(start + Self.slice, pairs.count)])
      let searches = try Searches(slice, self)
      for (place, pair) in slice.enumerated() {
        let (drop, match) = searches.verdict(place, pair, pictures) {
          captions.drop(start + place)
        }
        verdicts.append(Verdict(row: pair.row, sha256: pair.sha256, drop: drop, match: match))
        guard drop == nil else { continue }
        keeping.append(pair)
        if rules.comparesPictures { pictures.append(searches.entries[place]) }
        captions.keep(start + place, row: pair.row)
      }
    }
    return Decision(batch: batch, verdicts: verdicts, kept: keeping, captions: captions.found)
  }
}

/// The indexes of a folder do not tell earlier batches from later ones.
public struct DuplicateIndexError: Error, Sendable, Equatable, CustomStringConvertible {
  public var folder: String
  public var batch: Int

  public var description: String {
    "\(folder): its indexes cannot be taken back to batch \(batch). Remove the folder: what was decided"
      + " makes it again."
  }
}
