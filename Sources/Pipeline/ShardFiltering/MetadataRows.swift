import FilterPlans
import ParquetFile
import PipelineCore
import ShardScoring

/// The pairs of metadata tables, such as DataComp's: Parquet files read from end to end, batch by batch.
struct MetadataRows: JudgedRows {
  private let paths: [String]
  let sources: ColumnSources
  /// `uid`, or the columns of URL and caption of which one is made.
  private let identity: [String]
  private static let rowsPerBatch = 16_384

  /// - Throws: ``FilterPlanError`` where a table has other columns than the first, or nothing to name its pairs
  ///   by.
  init(_ paths: [String], aliases: [String: String], scores: ScoreSources?) throws {
    let columns = try ParquetReader(path: paths[0]).columns.filter { !$0.isList }.map(\.name)
    for path in paths.dropFirst() {
      let others = Set(try ParquetReader(path: path).columns.map(\.name))
      if let lost = columns.first(where: { !others.contains($0) }) {
        throw FilterPlanError(
          path: path, line: 0, "it has no column `\(lost)`, as \(paths[0]) has")
      }
    }
    let captions = ["text", "caption", "TEXT"].first { columns.contains($0) }
    let urls = ["url", "URL"].first { columns.contains($0) }
    if columns.contains("uid") {
      identity = ["uid"]
    } else if let captions, let urls {
      identity = [urls, captions]
    } else {
      throw FilterPlanError(
        path: paths[0], line: 0,
        "its pairs have no name: there is no column `uid`, nor `url` and a caption. There are "
          + columns.joined(separator: ", "))
    }
    if let lost = scores?.identities.first(where: {
      $0 != .uid && !columns.contains($0.rawValue)
    }) {
      throw FilterPlanError(
        path: paths[0], line: 0, "the scores go by `\(lost)`, and there is no such column")
    }
    self.paths = paths
    sources = ColumnSources(aliases: aliases, scores: scores, own: columns)
  }

  var columns: [String] { sources.columns }
  var planColumns: PlanColumns { sources.planColumns }

  func forEachBatch(columns wanted: Set<String>, _ body: (FilterBatch) throws -> Void) throws {
    let own = sources.ownColumns(of: wanted)
    var join = sources.join(for: wanted)
    let joined = [JoinColumn.key, .url].filter { sources.needs($0, for: wanted) }
    let named = Set(own + identity + joined.map(\.rawValue)).sorted()
    try forEach(named) { batch, path, first in
      var values: [String: [ParquetValue]] = [:]
      for (index, column) in batch.columns.enumerated() {
        values[column.name] = batch.values[index]
      }
      let words = try (0..<batch.rowCount).map {
        try uid(values, $0, path: path, row: first + $0)
      }
      let names =
        join == nil
        ? []
        : words.enumerated().map { row, uid in
          PairNames(
            uid: uid, key: values["key"]?[row].text ?? "", url: values["url"]?[row].text)
        }
      var columns: [String: FilterColumn] = [:]
      for column in batch.columns where own.contains(column.name) {
        columns[column.name] = FilterColumn(
          values[column.name] ?? [], isNumber: column.type.isNumber)
      }
      try body(
        try sources.batch(
          words.map(PairUID.init), names: names, columns: columns, wanted: wanted, join: &join))
    }
    try join?.requireSome()
  }

  func forEachUID(_ body: (String) throws -> Void) throws {
    try forEach(identity) { batch, path, first in
      var values: [String: [ParquetValue]] = [:]
      for (index, column) in batch.columns.enumerated() {
        values[column.name] = batch.values[index]
      }
      for row in 0..<batch.rowCount { try body(try uid(values, row, path: path, row: first + row)) }
    }
  }

  private func uid(
    _ values: [String: [ParquetValue]], _ index: Int, path: String, row: Int
  ) throws -> String {
    let words = identity.map { values[$0]?[index].text }
    if identity.count == 1, let uid = words[0] { return uid }
    if identity.count == 2, let url = words[0] {
      return PairIdentity.uid(
        normalizedURL: NormalizedURL.normalize(url) ?? url, caption: words[1] ?? "")
    }
    throw FilterPlanError(path: path, line: 0, "row \(row) has no \(identity[0])")
  }

  private func forEach(
    _ columns: [String], _ body: (ParquetBatch, _ path: String, _ first: Int) throws -> Void
  ) throws {
    for path in paths {
      let batches = try ParquetReader(path: path)
        .batches(columns: columns, rowsPerBatch: Self.rowsPerBatch)
      var first = 0
      while let batch = try batches.next() {
        try body(batch, path, first)
        first += batch.rowCount
      }
    }
  }
}

extension FilterColumn {
  init(_ values: [ParquetValue], isNumber: Bool) {
    self = isNumber ? .numbers(values.map(\.number)) : .texts(values.map(\.text))
  }
}
