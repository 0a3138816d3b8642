import DurableFiles
import PipelineCore

/// A table of download, decode or deduplicate as it was found.
struct StageTable {
  let path: String
  /// What is wrong with the table itself, in words.
  var problem: String?
  /// The rows of the list that it tells of, in rising order.
  var rows: [Int] = []
  /// Those that it keeps.
  var kept: [Int] = []

  /// Reads the table and holds it against what its stage has counted.
  init<Row>(
    _ path: String, _ make: (JSONValue) -> Row?, row: KeyPath<Row, Int>,
    drop: KeyPath<Row, Drop?>, _ report: StageReport
  ) {
    self.path = path
    guard DurableFile.exists(path) else {
      problem = "it is missing"
      return
    }
    do {
      let table = try PairTable.read(path, as: make)
      rows = table.map { $0[keyPath: row] }.sorted()
      kept = table.filter { $0[keyPath: drop] == nil }.map { $0[keyPath: row] }.sorted()
      if rows.count != report.input || kept.count != report.kept {
        problem =
          "it has \(rows.count) rows, \(kept.count) of them kept; the ledger counts"
          + " \(report.input) and \(report.kept)"
      }
    } catch {
      problem = "\(error)"
    }
  }
}

/// The table beside a chunk's shard as it was found.
struct ShardTable {
  let path: String
  /// What is wrong with the table itself, in words.
  var problem: String?
  var rows: [JSONValue] = []

  init(_ path: String) {
    self.path = path
    guard DurableFile.exists(path) else {
      problem = "it is missing"
      return
    }
    do {
      rows = try PairTable.read(path)
    } catch {
      problem = "\(error)"
    }
  }

  private var kept: [String?] {
    rows.filter { $0["status"]?.text == "success" }.map { $0["key"]?.text }
  }

  /// What does not fit the shard beside it, in words.
  ///
  /// - Parameters:
  ///   - keys: Of the shard; nil where it cannot be read.
  ///   - count: The pairs that the ledger counts.
  /// - Returns: Nil where all fits.
  func mismatch(keys: [String]?, count: Int) -> String? {
    if kept.count != count {
      return "\(kept.count) of its pairs are kept, the ledger counts \(count)"
    }
    return keys == nil || kept == keys ? nil : "its kept pairs are not those of the shard"
  }

  /// Whether it tells of `candidates`, one for one.
  ///
  /// - Parameters:
  ///   - candidates: The chunk's rows.
  ///   - hasRows: Whether the layout has the list's row and the uid; URLs stand in every layout.
  /// - Returns: Whether each row is that of the candidate in its place.
  func tells(of candidates: [PairCandidate], hasRows: Bool) -> Bool {
    rows.count == candidates.count
      && zip(rows, candidates).allSatisfy { row, candidate in
        if hasRows
          && (row["row"]?.integer != candidate.row || row["uid"]?.text != candidate.uid)
        {
          return false
        }
        return candidate.isForgotten || (row["url"]?.text ?? "") == candidate.url
      }
  }

  /// Whether every one of `numbers`, in rising order, is a row of it; true where it has none.
  func covers(_ numbers: [Int], hasRows: Bool) -> Bool {
    guard hasRows else { return rows.count >= numbers.count }
    return Set(numbers).isSubset(of: rows.compactMap { $0["row"]?.integer })
  }
}
