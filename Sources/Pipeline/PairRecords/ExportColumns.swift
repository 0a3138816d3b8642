import PairDataset
import ParquetFile
public import PipelineCore
public import TableQuery
import URLPipeline

/// The columns of an export: what is known of a row of the list, in one table.
public struct ExportColumns: Sendable {
  /// In order, as an expression may name them.
  public let all: [QueryColumn]
  private let parquet: [ParquetColumn]
  /// The list's other columns.
  private let carried: [TableColumn]
  private let scorers: Int
  /// Columns before those of the list.
  private static let before = 5

  /// Those that every run has, in the order of the table; the list's own come behind `caption`.
  public static let fixed = fetched + own

  private static let fetched = FetchTable.columns

  private static let own: [QueryColumn] = [
    .init("fate", .text, "kept, dropped, rejected, pending or quarantined"),
    .init("kept", .int, "whether dataset.json lists it; null while it is not known"),
    .init("generation", .int, "0 for the list, else the retry that tells of the row"),
    .init("of", .int, "the row that is kept in a duplicate's stead"),
    .init("of_uid", .text, "the uid of what a duplicate is like"),
    .init("of_source", .text, "the other run's index, or the evaluation set, that has it"),
    .init("distance", .int, "bits in which the pHashes of the two pictures differ"),
    .init("difference", .int, "how far the finer parts of their signatures are from each other"),
    .init("body_bytes", .int, "of the body that was fetched"),
    .init("sha256", .text, "of the body that was fetched"),
    .init("format", .text, "of the picture as it is kept, such as jpg"),
    .init("width", .int, "of the picture as it is kept"),
    .init("height", .int, "of the picture as it is kept"),
    .init("original_width", .int, "of the picture as it was fetched"),
    .init("original_height", .int, "of the picture as it was fetched"),
    .init("kept_bytes", .int, "of the picture as it is kept"),
    .init("phash", .text, "the perceptual hash, 16 hexadecimal digits"),
    .init("exif", .text, "the EXIF fields as JSON, where they were asked for"),
    .init("shard", .text, "the chunk's shard that holds it"),
    .init("key", .text, "the pair's key in that shard"),
    .init("number_in_shard", .int, "its place in that shard, from 0"),
    .init("final_shard", .text, "the shard of dataset.json that holds it"),
    .init("number_in_final", .int, "its place in that shard, from 0"),
  ]

  /// - Parameters:
  ///   - carried: The list's other columns.
  ///   - scorers: Whose scores have a column each, `score_` and the name.
  public init(carried: [TableColumn], scorers: [String]) {
    var names = Set(Self.fixed.map(\.name))
    func unique(_ name: String, prefix: String) -> String {
      var name = name
      while !names.insert(name).inserted { name = prefix + name }
      return name
    }
    let list = carried.map { column in
      (
        QueryColumn(
          unique(column.name, prefix: "list_"), Self.kind(column.kind), "a column of the list"),
        Self.type(column.kind)
      )
    }
    let scores = scorers.map { scorer in
      // A name that an expression may hold without quotes.
      let word = String(
        scorer.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
      return (
        QueryColumn(unique("score_" + word, prefix: "score_"), .double, "the score by \(scorer)"),
        ParquetType.float
      )
    }
    func typed(_ columns: some Sequence<QueryColumn>) -> [(QueryColumn, ParquetType)] {
      columns.map { column in
        let type: ParquetType =
          switch column.kind {
          case .text: .string
          case .double: .double
          case .int: .int64
          }
        switch column.name {
        case "started_at": return (column, .timestamp(.millis))
        case "kept": return (column, .bool)
        default: return (column, type)
        }
      }
    }
    let columns =
      typed(Self.fetched.prefix(Self.before)) + list + typed(Self.fetched.dropFirst(Self.before))
      + typed(Self.own) + scores
    all = columns.map(\.0)
    parquet = columns.map { ParquetColumn($0.0.name, $0.1, isOptional: $0.0.name != "row") }
    self.carried = carried
    self.scorers = scorers.count
  }

  /// The Parquet columns at some places.
  func parquet(at places: [Int]) -> [ParquetColumn] { places.map { parquet[$0] } }

  private static func kind(_ kind: TableColumn.Kind) -> QueryColumn.Kind {
    switch kind {
    case .int, .int32, .bool: .int
    case .float, .double: .double
    case .text, .json: .text
    }
  }

  private static func type(_ kind: TableColumn.Kind) -> ParquetType {
    switch kind {
    case .int, .int32: .int64
    case .float, .double: .double
    case .bool: .bool
    case .text: .string
    case .json: .json
    }
  }

  /// A value for each column.
  func values(of record: PairRecord, final: (shard: ShardSummary, number: Int)?) -> [TableValue] {
    func text(_ value: String?) -> TableValue { value.map { .text($0) } ?? .null }
    func int(_ value: Int?) -> TableValue { value.map { .int($0) } ?? .null }
    var fetch = record.entry.values(chunk: record.chunk)
    if record.entry.drop == nil {
      func set(_ name: String, _ value: String?) {
        if let place = Self.places[name] { fetch[place] = text(value) }
      }
      set("stage", record.fate == .dropped ? record.stage?.rawValue : nil)
      set("reason", record.drop?.reason.rawValue ?? (record.isForgotten ? "forgotten" : nil))
      set("class", record.failureClass?.rawValue)
    }
    if record.fate == .pending || record.fate == .quarantined, let place = Self.places["stage"] {
      fetch[place] = text(record.stage?.rawValue)
    }
    let candidate = record.entry.candidate
    let list = carried.map { column in
      Self.value(candidate.columns.last { $0.key == column.name }?.value, column.kind)
    }
    let (fetched, decoded) = (record.entry.fetched, record.entry.decoded)
    let match = record.drop == nil ? nil : record.entry.verdict?.match
    let isKnown = record.fate == .kept || record.fate == .dropped
    let own: [TableValue] = [
      .text(record.fate.rawValue), isKnown ? .int(record.fate == .kept ? 1 : 0) : .null,
      .int(record.generation), int(record.drop?.survivor), text(match?.uid), text(match?.source),
      int(match?.distance), int(match?.difference), int(fetched?.bytes?.length),
      text(PairRecord.known(fetched?.sha256)), text(decoded?.format),
      int(decoded?.width), int(decoded?.height), int(decoded?.originalWidth),
      int(decoded?.originalHeight), int(decoded?.bytes?.length), text(decoded?.phash),
      text(decoded?.exif),
      text(record.shard),
      record.numberInShard == nil ? .null : text(record.key), int(record.numberInShard),
      text(final?.shard.file), int(final?.number),
    ]
    return Array(fetch.prefix(Self.before)) + list + fetch.dropFirst(Self.before) + own
      + record.scores.map { $0.map { .double($0) } ?? .null }
  }

  /// The values of a row of the list that could not be used.
  func values(ofRejected row: Int, reason: String) -> [TableValue] {
    var values = [TableValue](repeating: .null, count: all.count)
    for (index, column) in all.enumerated() {
      switch column.name {
      case "row": values[index] = .int(row)
      case "stage": values[index] = .text(StageName.ingest.rawValue)
      case "reason", "fate": values[index] = .text(PairRecord.Fate.rejected.rawValue)
      case "class": values[index] = .text(DropReason.Class.permanent.rawValue)
      case "detail": values[index] = .text(reason)
      case "kept": values[index] = .int(0)
      case "generation": values[index] = .int(0)
      default: break
      }
    }
    return values
  }

  private static let places = Dictionary(
    uniqueKeysWithValues: fetched.enumerated().map { ($1.name, $0) })

  /// A list's own value as an expression sees it.
  private static func value(_ value: JSONValue?, _ kind: TableColumn.Kind) -> TableValue {
    guard let value, value != .null else { return .null }
    switch (kind, value) {
    case (.int, _), (.int32, _): return value.integer.map { .int($0) } ?? .null
    case (.float, _), (.double, _): return value.double.map { .double($0) } ?? .null
    case (.bool, .bool(let flag)): return .int(flag ? 1 : 0)
    case (.bool, _): return .null
    case (.text, .string(let text)): return .text(text)
    case (.text, _), (.json, _): return .text(value.serialized)
    }
  }

  /// A value as its column stores it.
  static func cell(_ value: TableValue, _ column: ParquetColumn) -> ParquetValue {
    switch value {
    case .null: .null
    case .int(let number): column.type == .bool ? .bool(number != 0) : .int(Int64(number))
    case .double(let number):
      column.type == .float ? .float(Float(number)) : .double(number)
    case .text(let text): .text(text)
    }
  }
}
