import ParquetFile
import PipelineCore

/// What a table of scores tells in short: read once, every page of it.
struct ScoreRows: Sendable {
  var scores: [Float] = []
  /// Pairs without a score, by reason.
  var faults: [String: Int] = [:]
  var hasKinds = false
  /// Pairs that a cut keeps, where there was one.
  private(set) var kept = 0
  let footer: [String: String]
  /// Whether the rows are those that were written, as far as the footer tells.
  private(set) var isWhole = false
  var count: Int { scores.count + faults.values.reduce(0, +) }

  /// - Throws: `ParquetError` for what is damaged; ``ShardScoringError/foreignTable(path:problem:)``.
  init(_ path: String) throws {
    let reader = try ParquetReader(path: path)
    footer = reader.metadata
    let names = reader.columns.map(\.name)
    guard footer["scorer"] != nil, names.contains("uid"), names.contains("score") else {
      throw ShardScoringError.foreignTable(path: path, problem: "it does not name its scorer")
    }
    hasKinds = names.contains("kind")
    let fault = names.firstIndex(of: "fault")
    guard let score = names.firstIndex(of: "score") else { return }
    let kept = names.firstIndex(of: AuditedTables.keptColumn)
    let texts = RowsDigest.columns.map { names.firstIndex(of: $0) }
    var digest = RowsDigest()
    let batches = try reader.batches(rowsPerBatch: 4_096)
    while let batch = try batches.next() {
      for row in 0..<batch.rowCount {
        let value = batch.values[score][row].double.map { Float($0) }
        var isKept: Bool?
        if let kept, case .bool(let flag) = batch.values[kept][row] { isKept = flag }
        if isKept == true { self.kept += 1 }
        digest.add(
          texts.map { column in
            guard let column, case .text(let text) = batch.values[column][row] else { return "" }
            return text
          }, score: value, kept: isKept)
        if let value {
          scores.append(value)
        } else {
          var reason = "unknown"
          if let fault, case .text(let word) = batch.values[fault][row] { reason = word }
          faults[reason, default: 0] += 1
        }
      }
    }
    isWhole =
      footer["pairs"] == "\(count)" && footer[RowsDigest.fact] == digest.finish()
  }
}

extension ParquetValue {
  /// As a number; nil for null and for what is no number.
  var double: Double? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .int(let value): Double(value)
    case .float(let value): value.isNaN ? nil : Double(value)
    case .double(let value): value.isNaN ? nil : value
    // Decimals come as text.
    case .text(let text): Double(text).flatMap { $0.isNaN ? nil : $0 }
    case .null, .bytes, .list: nil
    }
  }
}
