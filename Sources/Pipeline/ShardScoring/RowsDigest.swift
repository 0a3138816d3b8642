import ContentHashing
import PipelineCore

/// SHA-256 over the texts and scores of a table, row by row: tells a table that was damaged on the disk.
struct RowsDigest {
  static let fact = "rows_sha256"
  private var hash = ContentHash()
  private var pending: [UInt8] = []

  /// - Parameters:
  ///   - texts: uid, key, kind, fault and detail of a row, empty where there is none.
  ///   - score: Nil where there is none.
  ///   - kept: What a cut says; nil in tables without one.
  mutating func add(_ texts: [String], score: Float?, kept: Bool? = nil) {
    for text in texts {
      pending += Array(text.utf8)
      // No text of UTF-8 has this byte: where each ends is known.
      pending.append(0xFF)
    }
    let bits = score?.bitPattern ?? Float.nan.bitPattern
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      pending.append(UInt8(truncatingIfNeeded: bits >> shift))
    }
    if let kept { pending.append(kept ? 1 : 0) }
    guard pending.count >= 1 << 16 else { return }
    hash.update(pending)
    pending.removeAll(keepingCapacity: true)
  }

  /// A row as tables have it.
  mutating func add(_ row: JSONValue) {
    add(
      Self.columns.map { row[$0]?.text ?? "" }, score: row["score"]?.double.map { Float($0) },
      kept: row[AuditedTables.keptColumn].map { $0 == .bool(true) })
  }

  /// The texts of a row, in order.
  static let columns = ["uid", "key", "kind", "fault", "detail"]

  /// 64 hexadecimal digits.
  mutating func finish() -> String {
    hash.update(pending)
    pending = []
    return hash.hexDigest()
  }
}
