import PipelineCore

/// The boxes of a chunk's rows that are to be blurred.
///
/// A row without a value has none. A value that is no list of boxes costs the row: what was to be hidden must
/// not be shown because of a slip in the list.
struct BlurBoxes: Sendable {
  enum Boxes: Sendable, Equatable {
    case none
    /// `x0, y0, x1, y1` of each, from 0 to 1.
    case some([[Double]])
    case unreadable
  }

  static let expectation = "the list's boxes are no list of [x0, y0, x1, y1] from 0 to 1"

  private var boxes: [Int: Boxes] = [:]

  /// Reads the chunk's rows, unless `column` is nil, which blurs nothing.
  ///
  /// - Throws: ``DecodeSetupError/noColumn(_:found:)`` where the list has no such column, as one of JSON
  ///   Lines may turn out to be: nothing would be blurred.
  init(column: String?, chunk: Int, in folder: RunFolder) throws {
    guard let column else { return }
    let found = try ListColumns.read(folder).map(\.name)
    guard found.contains(column) else { throw DecodeSetupError.noColumn(column, found: found) }
    for candidate in try JSONLines.read(folder.chunkTable(chunk), as: PairCandidate.init)
    where candidate.drop == nil {
      let value = candidate.columns.first { $0.key == column }?.value
      if let value { boxes[candidate.row] = Self.boxes(value) }
    }
  }

  func of(row: Int) -> Boxes { boxes[row] ?? .none }

  /// A list of lists of four numbers, as JSON or as its text.
  static func boxes(_ value: JSONValue) -> Boxes {
    var value = value
    if case .string(let text) = value {
      if text.isEmpty { return .none }
      // What is no JSON is no list of boxes.
      guard let parsed = try? JSONValue.parse(Array(text.utf8)) else { return .unreadable }
      value = parsed
    }
    if value == .null { return .none }
    guard case .array(let items) = value else { return .unreadable }
    var boxes: [[Double]] = []
    for item in items {
      guard case .array(let numbers) = item else { return .unreadable }
      let box = numbers.compactMap(\.double)
      guard box.count == 4, numbers.count == 4, box[0] <= box[2], box[1] <= box[3],
        box.allSatisfy({ (-1...2).contains($0) })
      else { return .unreadable }
      // Detectors reach a little beyond the edge.
      boxes.append(box.map { min(max($0, 0), 1) })
    }
    return boxes.isEmpty ? .none : .some(boxes)
  }
}
