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
      PairIdentity.append(uidOf: normalized, to: &line)
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
