import DurableFiles
import FilterPlans
import PipelineCore
import ShardMaintenance

/// What is kept, as a file of uids.
enum SubsetFiles {
  /// Publishes DataComp's subset file.
  ///
  /// - Returns: Uids in it; a pair that is there twice counts once.
  /// - Throws: ``FilterPlanError`` for a uid that is no number of 32 hexadecimal digits.
  static func writeNumpy(
    _ rows: any JudgedRows, _ outcome: FilterOutcome, to path: String
  ) throws -> Int {
    var uids: [(high: UInt64, low: UInt64)] = []
    uids.reserveCapacity(outcome.keptCount)
    var row = 0
    try rows.forEachUID { uid in
      defer { row += 1 }
      guard outcome.kept[row] else { return }
      guard let number = PairUID.number(uid) else {
        throw FilterPlanError(
          path: path, line: 0,
          "`\(uid)` is no uid of 32 hexadecimal digits, as a subset file holds them; --list writes any"
        )
      }
      uids.append((number.high, number.low))
    }
    return try NumpyUIDs.write(uids, to: path)
  }

  /// Publishes a uid a line, in the order of the pairs; `pairloom reshard --ids` reads it.
  static func writeList(
    _ rows: any JudgedRows, _ outcome: FilterOutcome, to path: String
  ) throws -> Int {
    let file = try DurableFileWriter(path)
    var row = 0
    var bytes: [UInt8] = []
    try rows.forEachUID { uid in
      defer { row += 1 }
      guard outcome.kept[row] else { return }
      bytes += uid.utf8
      bytes.append(0x0A)
      if bytes.count >= 1 << 20 {
        try file.write(bytes)
        bytes = []
      }
    }
    try file.write(bytes)
    try file.commit()
    return outcome.keptCount
  }
}
