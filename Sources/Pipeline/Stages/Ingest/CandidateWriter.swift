import DurableFiles
import PipelineCore

/// Writes rows as the lines of `chunks/NNNNN.jsonl`: those of `PairCandidate.json`, without making one.
///
/// Reuses its buffers, so that a row costs no allocation but that of its SHA-256.
struct CandidateWriter {
  private let hasher: URLHasher
  private var normalized: [UInt8] = []

  init(hasher: URLHasher = URLHasher()) { self.hasher = hasher }

  /// What a row is, as far as it can be told from itself.
  enum Verdict: Equatable {
    /// Kept, unless an earlier row has the URL of this hash.
    case url(URLHash)
    /// Kept: a picture that is there already, without a URL.
    case picture
    case badURL
  }

  /// Appends the line of `row`.
  mutating func append(_ row: ListRow, number: Int, to line: inout [UInt8]) -> Verdict {
    let hasURL = NormalizedURL.normalize(row.url, into: &normalized)
    let verdict: Verdict =
      hasURL ? .url(hasher.hash(normalized)) : row.picture == nil ? .badURL : .picture
    if !hasURL {
      normalized.removeAll(keepingCapacity: true)
      normalized += row.url
    }
    line += #"{"row":"#.utf8
    Self.append(number, to: &line)
    line += #","uid":""#.utf8
    if let uid = row.uid {
      line += uid.utf8
    } else {
      normalized.append(0x0A)
      normalized += row.caption
      line += PairIdentity.uid(of: normalized).utf8
    }
    line += #"","url":"#.utf8
    JSONText.append(row.url, to: &line)
    line += #","caption":"#.utf8
    JSONText.append(row.caption, to: &line)
    if !row.columns.isEmpty {
      line += #","columns":{"#.utf8
      line += row.columns
      line.append(UInt8(ascii: "}"))
    }
    if !row.expectedHash.isEmpty {
      line += #","expected_hash":"#.utf8
      JSONText.append(row.expectedHash, to: &line)
    }
    if let picture = row.picture {
      line += #","picture":"#.utf8
      picture.json.append(to: &line)
    }
    if verdict == .badURL { line += #","drop":"bad_url""#.utf8 }
    line += "}\n".utf8
    return verdict
  }

  /// Appends a number that is not negative.
  private static func append(_ number: Int, to line: inout [UInt8]) {
    var divisor = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      line.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }
}

/// Marks the duplicates in the tables of chunks that were written before they were known.
struct DuplicateMarks {
  let folder: RunFolder
  let chunkRows: Int

  /// Rewrites the tables that hold `duplicates`, which are sorted by row.
  ///
  /// - Throws: ``TableError`` where a row is not where it was written; ``FileError``; ``ListError``.
  func write(_ duplicates: [(row: Int, survivor: Int)]) throws {
    var next = 0
    while next < duplicates.count {
      let chunk = duplicates[next].row / chunkRows
      var end = next
      while end < duplicates.count, duplicates[end].row / chunkRows == chunk { end += 1 }
      try mark(duplicates[next..<end], in: folder.chunkTable(chunk))
      next = end
    }
  }

  private func mark(
    _ duplicates: ArraySlice<(row: Int, survivor: Int)>, in path: String
  ) throws {
    var lines = LineReader(try TextWindow(path: path))
    let table = try SettledLaterFile(path)
    var rest = duplicates
    var number = 0
    while let line = try lines.next() {
      number += 1
      guard case .bytes(let range) = line, let row = Self.row(lines.window.bytes, range) else {
        throw TableError(path: path, line: number, problem: "the row has no number")
      }
      if row == rest.first?.row, let survivor = rest.popFirst()?.survivor {
        table.buffer += lines.window.bytes[range.lowerBound..<range.upperBound - 1]
        table.buffer += #","drop":"duplicate_url","of":\#(survivor)}"#.utf8
      } else {
        table.buffer += lines.window.bytes[range]
      }
      table.buffer.append(0x0A)
      try table.flushIfFull()
    }
    guard rest.isEmpty else {
      throw TableError(
        path: path, line: number, problem: "row \(rest[rest.startIndex].row) is gone")
    }
    try table.publish()
  }

  /// The number in `{"row":N,…`.
  private static func row(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
    let head = Array(#"{"row":"#.utf8)
    guard range.count > head.count,
      bytes[range.lowerBound..<range.lowerBound + head.count].elementsEqual(head)
    else { return nil }
    var number = 0
    for byte in bytes[(range.lowerBound + head.count)..<range.upperBound] {
      guard byte >= 0x30, byte <= 0x39 else { return byte == UInt8(ascii: ",") ? number : nil }
      number = number * 10 + Int(byte - 0x30)
    }
    return nil
  }
}
