import DurableFiles
import FilterPlans
import PairDataset
import ParquetFile
import PipelineCore
import ShardScoring

/// What a plan needs to know of the pairs of one shard, read off its samples and the table beside it.
///
/// A value is the JSON's, else the table's; `caption` is the text of the sample.
struct ShardFacts {
  /// The columns of the tables that are kept of each shard, before those of the plan.
  private static let fixed = [
    TableColumn("uid", .text, isOptional: false), TableColumn("key", .text, isOptional: false),
  ]

  /// Reads a shard and publishes what is wanted of it.
  ///
  /// - Parameters:
  ///   - shard: Any WebDataset tar; samples without a picture are passed over.
  ///   - path: Where the table goes; a column without any value is left out of it.
  ///   - wanted: The names that the plan may ask for.
  ///   - onPair: Called with each pair.
  /// - Throws: What is wrong with the shard, what the disk refuses.
  static func extract(
    _ shard: String, to path: String, wanted: [String], _ onPair: () throws -> Void
  ) throws {
    let names = wanted.filter { $0 != "uid" && $0 != "key" }
    let beside = try besides(shard, names)
    var rows: [(uid: String, key: String, values: [JSONValue?])] = []
    try ShardReader(path: shard).forEachSample { sample in
      guard let pair = try sample.pair(of: shard) else { return }
      var metadata: JSONValue?
      // A foreign shard's JSON may be anything; what cannot be read tells nothing.
      do throws(JSONError) { metadata = try JSONValue.parse(pair.metadata) } catch {}
      let row = beside[pair.key]
      let values = names.map { name -> JSONValue? in
        if name == "caption" { return .string(pair.caption) }
        return scalar(metadata?[name]) ?? row?[name]
      }
      rows.append((PairIdentity.uid(of: pair), pair.key, values))
      try onPair()
    }
    var columns = fixed
    var kept: [Int] = []
    for (index, name) in names.enumerated() {
      let values = rows.compactMap { $0.values[index] }
      guard !values.isEmpty else { continue }
      let areNumbers = values.allSatisfy { $0.double != nil }
      columns.append(TableColumn(name, areNumbers ? .double : .text))
      kept.append(index)
    }
    let table = rows.map { row in
      JSONValue.object(
        [.init("uid", .string(row.uid)), .init("key", .string(row.key))]
          + kept.enumerated().compactMap { place, index in
            row.values[index].map {
              .init(names[index], value($0, as: columns[Self.fixed.count + place].kind))
            }
          })
    }
    try PairTable.write(table, columns: columns, to: path)
  }

  /// A value of its column's kind.
  private static func value(_ value: JSONValue, as kind: TableColumn.Kind) -> JSONValue {
    if kind == .text, case .number(let digits) = value { return .string(digits) }
    return value
  }

  /// A text or number; true and false are 1 and 0.
  private static func scalar(_ value: JSONValue?) -> JSONValue? {
    switch value {
    case .string, .number: value
    case .bool(let flag): .number(flag ? "1" : "0")
    default: nil
    }
  }

  /// The values of the table beside a shard, by key and column; none where there is no table.
  private static func besides(
    _ shard: String, _ names: [String]
  ) throws -> [String: [String: JSONValue]] {
    let file = shard.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let path = shard.dropLast(file.count) + file.prefix { $0 != "." } + ".parquet"
    guard DurableFile.exists(String(path)) else { return [:] }
    let reader = try ParquetReader(path: String(path))
    let there = Set(reader.columns.filter { !$0.isList }.map(\.name))
    let wanted = names.filter { there.contains($0) && $0 != "caption" }
    guard there.contains("key"), !wanted.isEmpty else { return [:] }
    let hasStatus = there.contains("status")
    let batches = try reader.batches(
      columns: ["key"] + (hasStatus ? ["status"] : []) + wanted.filter { $0 != "status" },
      rowsPerBatch: 4_096)
    var rows: [String: [String: JSONValue]] = [:]
    while let batch = try batches.next() {
      for row in 0..<batch.rowCount {
        guard let key = batch.values[0][row].text else { continue }
        // A dropped row may have the key of a kept one, which alone is in the shard.
        if hasStatus, batch.values[1][row].text != "success" { continue }
        var values: [String: JSONValue] = [:]
        for (index, column) in batch.columns.enumerated() where wanted.contains(column.name) {
          let value = batch.values[index][row]
          if column.type.isNumber {
            values[column.name] = value.number.map { .number("\($0)") }
          } else {
            values[column.name] = value.text.map { .string($0) }
          }
        }
        rows[key] = values
      }
    }
    return rows
  }
}

/// The pairs of shards whose facts were extracted.
struct ExtractedRows: JudgedRows {
  /// The tables of the shards, in their order.
  private let tables: [String]
  let sources: ColumnSources

  init(tables: [String], aliases: [String: String], scores: ScoreSources?) throws {
    self.tables = tables
    var own: Set<String> = []
    for table in tables { own.formUnion(try PairTable.columns(of: table).map(\.name)) }
    // Captions there are always: none is an empty one.
    own.insert("caption")
    sources = ColumnSources(aliases: aliases, scores: scores, own: own.sorted())
  }

  var columns: [String] { sources.columns }
  var planColumns: PlanColumns { sources.planColumns }

  func forEachBatch(columns wanted: Set<String>, _ body: (FilterBatch) throws -> Void) throws {
    let own = sources.ownColumns(of: wanted)
    var join = sources.join(for: wanted)
    let byURL = sources.needs(.url, for: wanted)
    for table in tables {
      let reader = try ParquetReader(path: table)
      let there = Set(reader.columns.map(\.name))
      let more = own + (byURL && !own.contains("url") ? ["url"] : [])
      let named = ["uid", "key"] + more.filter { there.contains($0) && $0 != "uid" && $0 != "key" }
      let batches = try reader.batches(columns: named, rowsPerBatch: 16_384)
      while let batch = try batches.next() {
        let uids = batch.values[0].map { PairUID($0.text ?? "") }
        let urls = byURL ? batch.columns.firstIndex { $0.name == "url" } : nil
        let names =
          join == nil
          ? []
          : (0..<batch.rowCount).map { row in
            PairNames(
              uid: batch.values[0][row].text ?? "", key: batch.values[1][row].text ?? "",
              url: urls.flatMap { batch.values[$0][row].text })
          }
        var columns: [String: FilterColumn] = [:]
        for (index, column) in batch.columns.enumerated() where own.contains(column.name) {
          columns[column.name] = FilterColumn(
            batch.values[index], isNumber: column.type.isNumber)
        }
        // A shard without a value of a column has nothing to join in its stead.
        for name in own where columns[name] == nil {
          columns[name] = .texts([String?](repeating: nil, count: batch.rowCount))
        }
        try body(
          try sources.batch(uids, names: names, columns: columns, wanted: wanted, join: &join))
      }
    }
    try join?.requireSome()
  }

  func forEachUID(_ body: (String) throws -> Void) throws {
    for table in tables {
      let batches = try ParquetReader(path: table).batches(columns: ["uid"], rowsPerBatch: 16_384)
      while let batch = try batches.next() {
        for value in batch.values[0] { try body(value.text ?? "") }
      }
    }
  }
}
