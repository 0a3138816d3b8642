import DurableFiles
import PipelineCore

/// A chunk's tables without what tells of the rows that were taken out; their counts stay.
struct BlankRows {
  let chunk: Int
  let folder: RunFolder
  let rows: Set<Int>

  /// Stands for a digest that is not kept.
  private static let noHash = String(repeating: "0", count: 64)
  /// What a row keeps: where it stands, what became of it, and how large its bytes are.
  private static let harmless: Set<String> = [
    "row", "drop", "of", "class", "offset", "length", "attempt", "status", "width", "height",
    "original_width", "original_height", "format", "received_bytes",
  ]

  private func blank(_ row: JSONValue) -> JSONValue {
    var members = row.members.filter { Self.harmless.contains($0.key) }
    if row["sha256"]?.text != nil { members.append(.init("sha256", .string(Self.noHash))) }
    return .object(members)
  }

  private func isBlank(_ row: JSONValue) -> Bool {
    row.members.allSatisfy {
      Self.harmless.contains($0.key) || $0.key == "sha256" && $0.value == .string(Self.noHash)
    }
  }

  private func rewrite(
    _ path: String, _ columns: [TableColumn], _ change: (JSONValue) -> JSONValue
  ) throws {
    guard DurableFile.exists(path) else { return }
    let table = try PairTable.read(path)
    let new = table.map { row in
      guard let number = row["row"]?.integer, rows.contains(number) else { return row }
      return change(row)
    }
    if new != table { try PairTable.write(new, columns: columns, to: path) }
  }

  /// The tables of download and decode, of abandoned attempts too.
  func writeTransfers() throws {
    let fetched = "\(folder.path)/fetched"
    for name in try DurableFile.names(in: fetched)
    where name.hasPrefix(RunFolder.digits(chunk) + ".") && name.hasSuffix(".parquet") {
      try rewrite("\(fetched)/\(name)", FetchedRow.columns) { isBlank($0) ? $0 : blank($0) }
    }
    try rewrite(folder.decodedTable(chunk), DecodedRow.columns) { isBlank($0) ? $0 : blank($0) }
  }

  /// The downloaded and the decoded pictures, where they are still there: zeros in their places.
  func writeBytes() throws {
    let decoded = folder.decodedBytes(chunk)
    if DurableFile.exists(decoded), DurableFile.exists(folder.decodedTable(chunk)) {
      try blank(
        decoded,
        try PairTable.read(folder.decodedTable(chunk), as: DecodedRow.init)
          .filter { rows.contains($0.row) }.compactMap(\.bytes))
    }
    let fetched = "\(folder.path)/fetched"
    for name in try DurableFile.names(in: fetched)
    where name.hasPrefix(RunFolder.digits(chunk) + ".") && name.hasSuffix(".bytes") {
      let table = "\(fetched)/\(name.dropLast("bytes".count))parquet"
      // Without a table it is of an attempt that did not end, and nobody knows what it holds.
      guard DurableFile.exists(table) else {
        try DurableFile.remove("\(fetched)/\(name)")
        continue
      }
      try blank(
        "\(fetched)/\(name)",
        try PairTable.read(table, as: FetchedRow.init)
          .filter { rows.contains($0.row) }.compactMap(\.bytes))
    }
  }

  /// Writes zeros over some places of a file.
  private func blank(_ path: String, _ places: [ByteRange]) throws {
    let ranges = places.sorted { $0.offset < $1.offset }
    let isDone = try ranges.allSatisfy { range in
      try DurableFile.read(path, count: range.length, at: range.offset).allSatisfy { $0 == 0 }
    }
    if isDone { return }
    let writer = try DurableFileWriter(path)
    func copy(to end: Int) throws {
      while writer.byteCount < end {
        let piece = try DurableFile.read(
          path, count: min(1 << 20, end - writer.byteCount), at: writer.byteCount)
        if piece.isEmpty { return }
        try writer.write(piece)
      }
    }
    for range in ranges {
      try copy(to: range.offset)
      try writer.write([UInt8](repeating: 0, count: range.length))
    }
    try copy(to: try DurableFile.size(of: path))
    try writer.commit()
  }

  /// The verdicts: what was kept is dropped.
  ///
  /// - Returns: What the stage counts now; nil where it has not judged the chunk.
  func writeVerdicts() throws -> StageReport? {
    let path = folder.verdictTable(chunk)
    guard DurableFile.exists(path) else { return nil }
    try rewrite(path, Verdict.columns) { row in
      guard var verdict = Verdict(row) else { return row }
      verdict.sha256 = Self.noHash
      verdict.match = nil
      if verdict.drop == nil { verdict.drop = Drop(.forgotten) }
      return verdict.json
    }
    let drops = try PairTable.read(path, as: Verdict.init).map(\.drop)
    return StageReport(
      input: drops.count, kept: drops.count { $0 == nil },
      dropped: Dictionary(drops.compactMap { $0 }.map { ($0.reason, 1) }, uniquingKeysWith: +))
  }
}
