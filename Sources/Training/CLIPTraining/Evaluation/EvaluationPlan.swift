import DurableFiles
import Yams

/// What a training run measures itself on, and when: the manifest's `evaluation`.
///
/// ```yaml
/// evaluation:
///   every_steps: 500          # 0, the default: after the last step only
///   averages: true            # measure the moving averages, not the parameters themselves
///   retrieval: {data: unseen/dataset.json, limit: 2000}
///   zeroshot:                 # several, by name
///     mnist: {data: mnist/dataset.json, classes: [shirt, bag], templates: ["a photo of a {}."], label: label}
/// ```
/// `data` is a `dataset.json` or a shard, or a list of them; `classes` and `templates` are lists, or text
/// files with one a line. The figures are called `NAME/FIGURE`, as in `retrieval/image_to_text_r_at_1` or `mnist/top_1`.
public struct EvaluationPlan: Sendable, Equatable {
  /// What is asked of a set of pairs.
  public enum Question: Sendable, Equatable {
    case retrieval
    case zeroShot(classes: [String], templates: [String], label: String)
  }

  /// One set of pairs.
  public struct Exam: Sendable, Equatable {
    public var name: String
    public var data: [String]
    public var limit: Int?
    public var question: Question
  }

  /// Steps between two evaluations; 0 has one after the last step only.
  public var everySteps = 0
  /// Whether the moving averages are measured.
  public var usesAverages = false
  /// In the order of the manifest, each name once.
  public var exams: [Exam] = []

  public init() {}

  /// Reads the section; nil where there is none.
  static func read(_ reader: ManifestReader) throws -> EvaluationPlan? {
    guard let section = try reader.section("evaluation") else { return nil }
    var plan = EvaluationPlan()
    plan.everySteps = try section.integer("every_steps", atLeast: 0) ?? 0
    if let node = section.node("averages") {
      guard let value = node.bool else { throw section.error("averages", "is not true or false") }
      plan.usesAverages = value
    }
    for kind in ["retrieval", "zeroshot"] {
      guard let part = try section.section(kind) else { continue }
      if part.node("data") != nil {
        plan.exams.append(try readExam(part, kind, name: kind))
      } else {
        for name in section.node(kind)?.mapping?.keys.compactMap(\.string) ?? [] {
          guard let exam = try part.section(name) else { continue }
          plan.exams.append(try readExam(exam, kind, name: name))
        }
        try part.finish()
      }
    }
    try section.finish()
    guard !plan.exams.isEmpty else {
      throw reader.error("evaluation", "asks for nothing: give retrieval or zeroshot")
    }
    for (index, exam) in plan.exams.enumerated()
    where plan.exams[..<index].contains(where: { $0.name == exam.name }) {
      throw reader.error("evaluation", "has two sets named \(exam.name): give them names")
    }
    return plan
  }

  private static func readExam(
    _ reader: ManifestReader, _ kind: String, name: String
  ) throws -> Exam {
    guard !name.isEmpty, name.unicodeScalars.allSatisfy({ $0 != "/" && $0.value > 32 }) else {
      throw reader.error("data", "its set's name holds a slash or a blank")
    }
    guard let data = try texts(reader, "data"), !data.isEmpty else {
      throw reader.error("data", "is missing: a dataset.json, or shards")
    }
    var exam = Exam(
      name: name, data: data, limit: try reader.integer("limit", atLeast: 1), question: .retrieval)
    if kind == "zeroshot" {
      guard let classes = try texts(reader, "classes", linesOfFile: true) else {
        throw reader.error("classes", "is missing: a list, or a text file with a name per line")
      }
      exam.question = .zeroShot(
        classes: classes, templates: try texts(reader, "templates", linesOfFile: true) ?? ["{}"],
        label: try reader.string("label") ?? "label")
    }
    try reader.finish()
    return exam
  }

  /// A list of texts; a single one stands for itself, or for the lines of a file.
  private static func texts(
    _ reader: ManifestReader, _ key: String, linesOfFile: Bool = false
  ) throws -> [String]? {
    guard let node = reader.node(key) else { return nil }
    if let text = node.scalar?.string {
      guard linesOfFile else { return [text] }
      do { return try examLines(of: text) } catch { throw reader.error(key, "\(error)") }
    }
    guard let items = node.sequence, items.count == items.compactMap(\.string).count else {
      throw reader.error(key, "is not a list of texts")
    }
    return items.compactMap(\.string)
  }
}
