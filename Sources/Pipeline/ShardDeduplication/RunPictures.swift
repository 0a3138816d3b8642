import Deduplication
import DurableFiles
import PerceptualHash
import PictureIndex
import PipelineCore

/// The pictures that a run has decoded, from its tables.
struct RunPictures {
  let folder: RunFolder

  init(_ folder: RunFolder) { self.folder = folder }

  /// Writes what the run knows of its pictures as what was looked at, in order of rows.
  ///
  /// Quality is the original's pixels; a row that was decoded again in a later chunk counts once.
  ///
  /// - Returns: How many pairs there are.
  /// - Throws: ``ShardDeduplicationError/noSignatures(_:)`` for tables without signatures.
  func copy(to work: WorkFolder) throws -> Int {
    var batch: [ExaminedPair] = []
    var (number, row) = (0, 0)
    func publish() throws {
      try PairTable.write(
        batch.map(\.json), columns: ExaminedPair.columns, to: work.examinedTable(number))
      number += 1
      batch = []
    }
    for chunk in try chunks() {
      let candidates = try candidates(chunk)
      for json in try PairTable.read(folder.decodedTable(chunk)) {
        guard let decoded = DecodedRow(json), decoded.drop == nil else { continue }
        guard let signature = json["signature"]?.text.flatMap({ PictureSignature(text: $0) })
        else { throw ShardDeduplicationError.noSignatures(folder.path) }
        let candidate = candidates[decoded.row]
        batch.append(
          ExaminedPair(
            decoded, row: row, key: String(decoded.row), uid: candidate?.uid ?? "",
            signature: signature, caption: candidate?.caption ?? "", url: candidate?.url ?? ""))
        row += 1
        if batch.count == ShardExamination.batchRows { try publish() }
      }
    }
    if !batch.isEmpty { try publish() }
    return row
  }

  /// The pictures that the run has kept, as an index holds them.
  func keptEntries() throws -> [PictureEntry] {
    var entries: [PictureEntry] = []
    for chunk in try chunks() {
      guard DurableFile.exists(folder.verdictTable(chunk)) else { continue }
      let kept = Set(
        try PairTable.read(folder.verdictTable(chunk), as: Verdict.init)
          .filter { $0.drop == nil }.map(\.row))
      let candidates = try candidates(chunk)
      for json in try PairTable.read(folder.decodedTable(chunk)) {
        guard let decoded = DecodedRow(json), kept.contains(decoded.row),
          let candidate = candidates[decoded.row]
        else { continue }
        entries.append(
          JudgedPair(
            row: decoded.row, uid: candidate.uid, sha256: decoded.sha256,
            signature: json["signature"]?.text.flatMap { PictureSignature(text: $0) }, caption: "",
            url: "", quality: 0
          ).entry)
      }
    }
    return entries
  }

  /// Rows and signatures of kept pictures, in order; none from tables without signatures.
  func keptSignatures(most: Int) throws -> [(row: Int, signature: PictureSignature)] {
    var found: [(row: Int, signature: PictureSignature)] = []
    for chunk in try chunks() {
      if found.count >= most { break }
      guard DurableFile.exists(folder.verdictTable(chunk)) else { continue }
      let kept = Set(
        try PairTable.read(folder.verdictTable(chunk), as: Verdict.init)
          .filter { $0.drop == nil }.map(\.row))
      for json in try PairTable.read(folder.decodedTable(chunk)) {
        guard let row = json["row"]?.integer, kept.contains(row),
          let signature = json["signature"]?.text.flatMap({ PictureSignature(text: $0) })
        else { continue }
        found.append((row, signature))
      }
    }
    return Array(found.prefix(most))
  }

  /// Whether the first table has the column; tables of before there was one do not.
  var hasSignatures: Bool {
    // A table that cannot be read is told when it is.
    guard let first = try? chunks().first,
      let columns = try? PairTable.columns(of: folder.decodedTable(first))
    else { return false }
    return columns.contains { $0.name == "signature" }
  }

  private func chunks() throws -> [Int] {
    try DurableFile.names(in: "\(folder.path)/decoded").compactMap { name in
      name.hasSuffix(".parquet") ? Int(name.dropLast(".parquet".count)) : nil
    }.sorted()
  }

  private func candidates(_ chunk: Int) throws -> [Int: PairCandidate] {
    Dictionary(
      try JSONLines.read(folder.chunkTable(chunk), as: PairCandidate.init).map { ($0.row, $0) },
      uniquingKeysWith: { $1 })
  }
}
