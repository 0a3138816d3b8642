public import Collectives

/// Measures a model while it is trained, on every rank at the same time.
public final class TrainingEvaluation {
  private enum Exam {
    case retrieval(RetrievalExam)
    /// With the classes of its pairs, once they were read.
    case zeroShot(ZeroShotExam, labels: [Int])
  }

  private let group: ProcessGroup
  private var exams: [(name: String, exam: Exam)] = []
  private var told: Set<String> = []

  /// Opens all sets of pairs and reads their classes, before the first step.
  ///
  /// - Parameters:
  ///   - plan: The same on every rank.
  ///   - trained: What is trained.
  ///   - group: The ranks.
  ///   - manifest: What errors call the manifest.
  /// - Throws: ``ManifestError`` that names the set which is missing or unreadable, and ``CollectiveError``.
  public init(
    _ plan: EvaluationPlan, of trained: TrainedCLIP, in group: ProcessGroup, manifest: String
  ) throws {
    self.group = group
    var encoder: SharedEncoder?
    for exam in plan.exams {
      do {
        let pairs = try ExamPairs(exam.data, limit: exam.limit)
        switch exam.question {
        case .retrieval: exams.append((exam.name, .retrieval(try RetrievalExam(pairs))))
        case .zeroShot(let classes, let templates, let label):
          let asked = try ZeroShotExam(pairs, names: classes, templates: templates, label: label)
          let sharing = encoder ?? SharedEncoder(trained, in: group)
          encoder = sharing
          exams.append((exam.name, .zeroShot(asked, labels: try asked.labels(sharing: sharing))))
        }
      } catch let error as CollectiveError {
        throw error
      } catch {
        throw ManifestError(
          manifest: manifest, key: "evaluation", problem: "\(exam.name): \(error)")
      }
    }
  }

  /// Measures a model as it is now.
  ///
  /// - Parameters:
  ///   - trained: The same on every rank.
  ///   - note: Told on rank 0, once, what was left out.
  /// - Returns: On rank 0 the figures by name, with the same bits for any number of ranks; none on the others.
  /// - Throws: ``ShardError``, ``CollectiveError``, ``ExamError``.
  public func figures(
    of trained: TrainedCLIP, note: (String) -> Void = { _ in }
  ) throws -> [String: Double] {
    let encoder = SharedEncoder(trained, in: group)
    var all: [String: Double] = [:]
    for (name, exam) in exams {
      var (figures, undecodable, count): ([String: Double], Int, Int)
      switch exam {
      case .retrieval(let exam):
        let result = try exam.taken(with: encoder)
        (figures, undecodable) = (result?.figures ?? [:], result?.undecodable ?? 0)
        count = exam.pairs.count
      case .zeroShot(let exam, let labels):
        let result = try exam.taken(with: encoder, labels: labels)
        (figures, undecodable) = (result?.figures ?? [:], result?.undecodable ?? 0)
        count = exam.pairs.count
      }
      for (figure, value) in figures { all["\(name)/\(figure)"] = value }
      if undecodable > 0, told.insert(name).inserted {
        note(
          "evaluation \(name): \(undecodable) of \(count) pictures cannot be decoded; they are left out"
        )
      }
    }
    return all
  }
}
