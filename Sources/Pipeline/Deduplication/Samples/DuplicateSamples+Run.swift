public import DecodeStage
import DurableFiles
public import PipelineCore

extension DuplicateSamples {
  /// Those of a run.
  public init(of run: RunFolder) { self.init(run.duplicateSamples) }

  /// Keeps some of what a chunk of a run has dropped, by its tables.
  ///
  /// To be called before the chunk's decoded pictures go; where they are gone, what there is stays.
  /// Copies of what `pairloom forget` took out are not shown.
  ///
  /// - Parameters:
  ///   - chunk: Its number.
  ///   - verdicts: On its pictures.
  ///   - run: The folder.
  ///   - maker: Makes pictures small.
  ///   - flag: Calls the work off.
  /// - Throws: What the disk refuses, a table that is damaged.
  public func keep(
    chunk: Int, _ verdicts: [Verdict], in run: RunFolder, by maker: ThumbnailMaker,
    _ flag: CancellationFlag = CancellationFlag()
  ) throws {
    let path = run.decodedBytes(chunk)
    guard DurableFile.exists(path) else { return }
    let forgotten = try ForgottenPairs.read(run)
    let rows = Set(forgotten.entries.flatMap { $0.pictures.map(\.row) })
    let dropped = Dictionary(
      verdicts.filter { verdict in
        guard let drop = verdict.drop, drop.reason != .forgotten else { return false }
        return drop.survivor.map { !rows.contains($0) } ?? true
          && !(verdict.match?.uid.map { forgotten.contains(uid: $0) } ?? false)
      }.map { ($0.row, $0) }, uniquingKeysWith: { $1 })
    guard !dropped.isEmpty else { return try keep(chunk: chunk, of: [], in: path, by: maker, flag) }
    let told = Dictionary(
      try JSONLines.read(run.chunkTable(chunk), as: PairCandidate.init).map { ($0.row, $0) },
      uniquingKeysWith: { $1 })
    let candidates = try PairTable.read(run.decodedTable(chunk), as: DecodedRow.init)
      .compactMap { decoded -> (sample: DuplicateSample, bytes: ByteRange)? in
        guard let verdict = dropped[decoded.row], let drop = verdict.drop, let bytes = decoded.bytes
        else { return nil }
        let candidate = told[decoded.row]
        return (
          DuplicateSample(
            row: decoded.row, uid: candidate?.uid ?? "", caption: candidate?.caption ?? "",
            url: candidate?.url ?? "", drop: drop, survivorUID: verdict.match?.uid,
            source: verdict.match?.source, distance: verdict.match?.distance,
            difference: verdict.match?.difference), bytes
        )
      }
    try keep(chunk: chunk, of: candidates, in: path, by: maker, flag)
  }

  /// Removes what shows a picture that must be forgotten, itself or by its copies.
  ///
  /// - Parameters:
  ///   - uids: Of pairs that are taken out.
  ///   - rows: Of these.
  /// - Throws: What the disk refuses. A shard that cannot be read goes as a whole.
  public func remove(uids: Set<String>, rows: Set<Int>) throws {
    for chunk in try chunks() {
      // What cannot be read may show anything, and is emptied.
      guard let samples = try? read(chunk) else {
        try write(chunk, [])
        continue
      }
      let left = samples.filter { sample, _ in
        !uids.contains(sample.uid) && !rows.contains(sample.row)
          && !(sample.survivorUID.map { uids.contains($0) } ?? false)
          && !(sample.drop.survivor.map { rows.contains($0) } ?? false)
      }
      if left.count < samples.count { try write(chunk, left.map { ($0.sample, $0.jpeg) }) }
    }
  }

  /// Removes all samples, as when a pair must be forgotten: they are of use to nobody but a person who looks.
  public func removeAll() throws {
    for name in try DurableFile.names(in: folder) { try DurableFile.remove("\(folder)/\(name)") }
    try DurableFile.removeFolder(folder)
  }
}
