extension StageReport {
  /// What a download's table says of its chunk.
  ///
  /// - Parameters:
  ///   - rows: Of the table.
  ///   - attempt: Whose table it is.
  ///   - byteCount: Of the bodies, end to end.
  package init(of rows: [FetchedRow], attempt: Int, byteCount: Int) {
    let drops = rows.compactMap(\.drop)
    var facts = [
      "bytes": byteCount, Self.attemptFact: attempt,
      Self.transientFact: rows.count { $0.failureClass == .transient },
      Self.receivedBytesFact: rows.reduce(0) { sum, row in
        sum + (row.recorded("received_bytes")?.integer ?? 0)
      },
    ]
    for row in rows where row.failureClass == .transient {
      guard let reason = row.drop?.reason.rawValue else { continue }
      facts[Self.transientPrefix + reason, default: 0] += 1
    }
    self.init(
      input: rows.count, kept: rows.count - drops.count,
      dropped: Dictionary(drops.map { ($0.reason, 1) }, uniquingKeysWith: +), facts: facts)
  }
}
