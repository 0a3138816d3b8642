import PipelineCore

/// A shard's table and its tar put together; where they disagree the tar's word wins.
struct ShardMerge {
  struct Line {
    var row: ForeignRow
    var fate: ImportedPair.Fate
  }

  /// Kept pairs are in the order of the tar.
  private(set) var lines: [Line] = []
  /// What disagrees, in words.
  private(set) var differences: [String] = []

  /// - Parameters:
  ///   - rows: Of the table; none where there is none.
  ///   - hasTable: Whether there is one.
  ///   - contents: Of the tar; nil where it is not taken.
  ///   - loss: Why a success has no picture where there is no tar, in words.
  init(rows: [ForeignRow], hasTable: Bool, contents: TarContents?, loss: String) {
    var pictures: [String: TarContents.Picture] = [:]
    for picture in contents?.pictures ?? [] { pictures[picture.key] = picture }
    let (refused, words) = (contents?.refused ?? [:], contents == nil ? loss : nil)
    var (missing, unexpected) = (0, 0)
    for row in rows {
      if let key = row.key, let picture = pictures.removeValue(forKey: key) {
        // What the table calls a failure is told by the pair's own JSON.
        if picture.row != nil { unexpected += 1 }
        lines.append(Line(row: picture.row ?? row, fate: .kept(picture)))
      } else if row.isSuccess {
        let fault = row.key.flatMap { refused[$0] }
        if contents != nil && fault == nil { missing += 1 }
        lines.append(
          Line(
            row: row,
            fate: .lost(
              fault?.reason ?? .incomplete,
              words: fault?.words ?? words ?? "the shard has no picture of it")))
      } else {
        lines.append(Line(row: row, fate: .failed))
      }
    }
    for picture in contents?.pictures ?? [] where pictures[picture.key] != nil {
      if hasTable { unexpected += 1 }
      let row = picture.row ?? ForeignRow(metadata: [], key: picture.key, caption: "")
      lines.append(Line(row: row, fate: .kept(picture)))
    }
    sort(by: contents?.pictures ?? [])
    tell(missing: missing, unexpected: unexpected, refused: refused)
  }

  /// Brings kept pairs into the order of the tar, where the table has another.
  private mutating func sort(by pictures: [TarContents.Picture]) {
    func key(_ line: Line) -> String? {
      if case .kept(let picture) = line.fate { picture.key } else { nil }
    }
    let order = lines.compactMap(key)
    guard order != pictures.map(\.key) else { return }
    let places = Dictionary(
      pictures.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
    let kept = lines.filter { key($0) != nil }.sorted {
      (places[key($0) ?? ""] ?? 0) < (places[key($1) ?? ""] ?? 0)
    }
    lines = kept + lines.filter { key($0) == nil }
  }

  private mutating func tell(
    missing: Int, unexpected: Int, refused: [String: (reason: DropReason, words: String)]
  ) {
    if missing > 0 {
      differences.append(
        "the tar has no picture of \(missing) rows that the table calls a success: they may be"
          + " asked for again")
    }
    if unexpected > 0 {
      differences.append(
        "the tar has \(unexpected) pairs that are no success in the table: they are kept")
    }
    if !refused.isEmpty {
      let one = refused.min { $0.key < $1.key }
      differences.append(
        "\(refused.count) pairs of the tar are left out, such as \(one?.key ?? ""):"
          + " \(one?.value.words ?? "")")
    }
  }
}
