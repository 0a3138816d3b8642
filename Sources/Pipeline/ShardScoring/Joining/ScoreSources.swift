import DurableFiles
import ParquetFile

/// Scores that were made elsewhere: our tables, DataComp's metadata and features, clip-retrieval's folders, any
/// Parquet table with one of `uid`, `key` or `url` and columns of numbers.
///
/// Tables that were made alike are taken together; tables with other columns add theirs. Of a name that comes
/// twice the first row counts. Memory: 32 bytes a row at most and 8 for each column; text of tables is not kept.
public struct ScoreSources: Sendable {
  private(set) var sources: [ScoreSource] = []
  /// The columns of numbers that there are, wanted or not, in the order of the tables.
  private var seen: [String] = []
  /// The columns of numbers of all tables.
  public var columns: [String] { sources.flatMap(\.columns) }
  /// Of all tables, without those that were repeated.
  public var rows: Int { sources.reduce(0) { $0 + $1.rows } }
  /// Rows whose name had come before.
  public var repeated: Int { sources.reduce(0) { $0 + $1.repeated } }
  /// What a person should know of the tables.
  public var warnings: [String] {
    sources.filter { $0.differing > 0 }.map { source in
      "\(source.path): \(source.differing) rows have the \(source.identity.rawValue) of an earlier row and other"
        + " numbers; the earlier ones count"
    }
  }
  /// What the tables are joined by.
  public var identities: [JoinColumn] { sources.map(\.identity) }
  /// What made the scores of each group of tables.
  public var provenances: [ScoreProvenance] { sources.map(\.provenance) }

  /// The cut that scores were made for, where they are of bytes away from it.
  public var cut: String? { provenances.lazy.compactMap { $0.values["cut"] }.first }

  /// Opens a path of embeddings: what cosines there are, but those of some columns.
  public typealias EmbeddingOpener =
    @Sendable (_ path: String, _ without: Set<String>) throws -> [EmbeddingParts]

  /// Reads the tables.
  ///
  /// - Parameters:
  ///   - paths: Tables; folders, whose tables are taken by name; folders of embeddings; DataComp's `.npz`
  ///     files, and folders of them, of which cosines are taken that the tables beside them have not.
  ///   - wanted: Columns to keep, all where nil: those that are not asked for take no memory.
  ///   - openEmbeddings: Opens the latter; nil refuses them.
  /// - Throws: ``ScoreSourceError``, `ParquetError` for a damaged table, which it names.
  public init(
    _ paths: [String], columns wanted: Set<String>? = nil, openEmbeddings: EmbeddingOpener? = nil
  ) throws {
    for path in paths {
      if Self.isEmbeddings(path), let openEmbeddings {
        for parts in try openEmbeddings(path, []) { try add(parts, wanted, at: path) }
        continue
      }
      if let openEmbeddings, try !Self.archives(path).isEmpty {
        var there: Set<String> = []
        for table in path.hasSuffix(Self.archiveEnding) ? [] : try Self.tables(path) {
          let columns = try ScoreTableHeader(table).columns
          there.formUnion(columns)
          if !columns.isEmpty { try add(table, wanted) }
        }
        for parts in try openEmbeddings(path, there) { try add(parts, wanted, at: path) }
        continue
      }
      let tables = try Self.tables(path)
      guard !tables.isEmpty else { throw ScoreSourceError.nothing(path) }
      for table in tables { try add(table, wanted) }
    }
    if let missing = wanted?.subtracting(columns).sorted().first {
      throw ScoreSourceError.noSuchColumn(missing, columns: seen)
    }
  }

  /// Whether a folder is clip-retrieval's.
  static func isEmbeddings(_ path: String) -> Bool {
    DurableFile.isFolder("\(path)/img_emb") && DurableFile.isFolder("\(path)/text_emb")
  }

  private static let archiveEnding = ".npz"

  /// The archives of features of a path: itself, or those in a folder.
  private static func archives(_ path: String) throws -> [String] {
    guard DurableFile.isFolder(path) else { return path.hasSuffix(archiveEnding) ? [path] : [] }
    return try DurableFile.names(in: path).filter { $0.hasSuffix(archiveEnding) }
      .map { "\(path)/\($0)" }
  }

  /// The files that count of a path that scores are read from, for who tells whether they are the same.
  ///
  /// - Throws: What the file system refuses.
  public static func files(_ path: String) throws -> [String] {
    guard isEmbeddings(path) else {
      guard path.hasSuffix(archiveEnding) else { return try tables(path) + archives(path) }
      // The rows' names stand in the table beside it.
      let table = String(path.dropLast(archiveEnding.count)) + ".parquet"
      return [path] + (DurableFile.exists(table) ? [table] : [])
    }
    return try ["img_emb", "text_emb", "metadata"].flatMap { folder in
      try DurableFile.names(in: "\(path)/\(folder)").map { "\(path)/\(folder)/\($0)" }
    }
  }

  private static func tables(_ path: String) throws -> [String] {
    guard DurableFile.isFolder(path) else { return DurableFile.exists(path) ? [path] : [] }
    return try DurableFile.names(in: path).filter { $0.hasSuffix(".parquet") }
      .map { "\(path)/\($0)" }
  }

  private mutating func add(_ table: String, _ wanted: Set<String>?) throws {
    let header = try ScoreTableHeader(table)
    let kept = header.columns.indices.filter { wanted?.contains(header.columns[$0]) ?? true }
    guard !header.columns.isEmpty else {
      throw ScoreSourceError.notJoinable(path: table, problem: "it has no column of numbers")
    }
    seen += header.columns.filter { !seen.contains($0) }
    guard !kept.isEmpty else { return }
    let number = try group(
      header.identity, kept.map { header.columns[$0] }, header.provenance, path: table)
    // What a false footer says costs nothing: a row takes a byte at least, else arrays grow by themselves.
    sources[number].reserve(min(header.reader.rowCount, try DurableFile.size(of: table)))
    try header.forEachRow { name, value in
      try sources[number].append(name) { value(kept[$0]) }
    }
  }

  private mutating func add(
    _ parts: EmbeddingParts, _ wanted: Set<String>?, at path: String
  ) throws {
    if !seen.contains(parts.column) { seen.append(parts.column) }
    guard wanted?.contains(parts.column) ?? true else { return }
    guard let first = parts.metadata.first else {
      throw ScoreSourceError.notJoinable(path: path, problem: "there are vectors and no metadata")
    }
    let scores = try EmbeddingScores(parts, path: path)
    let number = try group(
      try ScoreTableHeader(first).identity, [parts.column], ScoreProvenance([:]),
      path: path)
    try scores.append(to: &sources[number])
  }

  /// The number of the group that a table belongs to.
  private mutating func group(
    _ identity: JoinColumn, _ columns: [String], _ provenance: ScoreProvenance, path: String
  ) throws -> Int {
    for (number, source) in sources.enumerated() {
      if source.identity == identity, source.columns == columns, source.provenance == provenance {
        return number
      }
      guard let column = columns.first(where: { source.columns.contains($0) }) else { continue }
      let differences = source.provenance.differences(from: provenance)
      throw differences.isEmpty
        ? ScoreSourceError.sameColumn(column, path: path, other: source.path)
        : ScoreSourceError.otherModel(path: path, other: source.path, differences: differences)
    }
    sources.append(
      ScoreSource(identity, columns: columns, provenance: provenance, path: path))
    return sources.count - 1
  }
}
