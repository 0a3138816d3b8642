import PipelineCore

/// Which dropped pictures are kept to be looked at.
public enum SampleChoice {
  /// At most `most` of `candidates`: half of them those whose differences are greatest, where a mistake
  /// is likeliest, the others of the largest groups, turn by turn.
  ///
  /// The same candidates give the same choice, whatever their order.
  ///
  /// - Returns: Rows, ascending.
  public static func rows(of candidates: [DuplicateSample], most: Int) -> [Int] {
    let doubtful =
      candidates
      .filter { $0.difference != nil }
      .sorted { ($1.difference ?? 0, $0.row) < ($0.difference ?? 0, $1.row) }
    var chosen = Set(doubtful.prefix(most / 2).map(\.row))
    // Round by round a further member of each of the largest groups, and then of all others.
    let groups = Dictionary(grouping: candidates, by: group)
      .values.map { $0.sorted { $0.row < $1.row } }
      .sorted { ($1.count, $0[0].row) < ($0.count, $1[0].row) }
    let largest = max(2, most / 12)
    for part in [groups.prefix(largest), groups.dropFirst(largest)] {
      for round in 0..<(part.map(\.count).max() ?? 0) {
        for members in part where members.count > round && chosen.count < most {
          chosen.insert(members[round].row)
        }
      }
    }
    return chosen.sorted()
  }

  /// What the members of a group have in common.
  public static func group(_ sample: DuplicateSample) -> String {
    if let row = sample.drop.survivor { return "row \(row)" }
    return "\(sample.source ?? "") \(sample.survivorUID ?? sample.drop.reason.rawValue)"
  }
}
