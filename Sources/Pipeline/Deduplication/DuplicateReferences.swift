import DurableFiles
import PictureIndex
import PipelineCore

/// What pairs are held against beside one another: indexes of earlier runs, and evaluation sets.
///
/// Opened once; any number of judges may use it, one after the other.
public final class DuplicateReferences {
  let against: [(name: String, index: PictureIndex)]
  let evaluation: [OpenEvaluationSet]
  /// What they hold, in a word.
  public let identity: String

  /// - Parameters:
  ///   - rules: Name them.
  ///   - folder: Where tables of evaluation sets are kept.
  ///   - evaluation: What ``EvaluationSet/prepare(_:in:examiner:threads:isCancelled:)`` gave; nil prepares
  ///     the rules' sets here and now, in this process.
  /// - Throws: What is wrong with an index or a set.
  public init(
    _ rules: DuplicateRules, folder: String, evaluation: [EvaluationSet]? = nil
  ) throws {
    against = try rules.against.map { path in
      (
        EvaluationSet.name(of: path),
        try PictureIndex(EvaluationIndex.file(path), isWritable: false)
      )
    }
    let sets = try evaluation ?? EvaluationSet.prepare(rules.evaluationSets, in: folder)
    self.evaluation = try sets.map { try OpenEvaluationSet($0) }
    identity =
      (against.map { "\($0.name) \($0.index.contentHash)" }
      + zip(sets, self.evaluation).map { set, open in
        // The table is named by what the set holds.
        "\(set.name) \(set.table.map(EvaluationSet.name) ?? "") \(open.index.contentHash)"
      }).joined(separator: "\n")
  }
}
