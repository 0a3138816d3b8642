/// Tells text that looks as if its bytes had been read in a wrong encoding: ftfy's `is_bad`.
///
/// ftfy asks a regular expression of 38 alternatives, all of them short and without loops; that is a
/// finite automaton, which `make_text_tables.py` builds: 136 states over 78 columns of characters.
/// One step per character, whatever the alternatives.
struct MojibakeDetector: Sendable {
  private let columns: Int
  private let found: UInt16
  /// The next state, by state and column.
  private let next: [UInt16]

  /// An automaton out of its rows; the state after the last row has found something.
  init(_ rows: [[Int]]) {
    columns = rows.first?.count ?? 0
    found = UInt16(rows.count)
    next = rows.flatMap { $0.map { UInt16($0) } }
    precondition(next.count == rows.count * columns, "rows of the automaton differ in length")
    precondition(next.allSatisfy { $0 <= found }, "a state has no row")
  }

  func isBad(_ text: ArraySlice<Unicode.Scalar>, _ characters: CharacterTable) -> Bool {
    var state: UInt16 = 0
    for scalar in text {
      state = next[Int(state) * columns + characters[scalar].badnessColumn]
      if state == found { return true }
    }
    return false
  }
}
