import Deduplication
import PerceptualHash

/// The pairs of a generation, as small as they can be judged by.
///
/// Memory: 183 bytes for a pair, and 16 and its caption where captions count; 57 without looks.
struct PlannedPairs {
  private let hasCaptions: Bool
  private var rows: [Int] = []
  private var qualities: [Double] = []
  /// 32 bytes for each.
  private var digests: [UInt8] = []
  /// Digests that are not 64 lower-case hexadecimal digits, as other programs may write them.
  private var oddDigests: [Int: String] = [:]
  /// `PictureSignature.byteCount` bytes for each that has one.
  private var looks: [UInt8] = []
  /// Where a pair's looks begin; negative for none.
  private var places: [Int] = []
  private var captions: [String] = []

  init(_ rules: DuplicateRules) { hasCaptions = rules.readsCaptions }

  mutating func append(_ pairs: [JudgedPair]) {
    for pair in pairs {
      rows.append(pair.row)
      qualities.append(pair.quality)
      if let bytes = Self.bytes(ofHex: pair.sha256) {
        digests += bytes
      } else {
        oddDigests[rows.count - 1] = pair.sha256
        digests += [UInt8](repeating: 0, count: 32)
      }
      places.append(pair.signature == nil ? -1 : looks.count)
      looks += pair.signature?.bytes ?? []
      if hasCaptions { captions.append(pair.caption) }
    }
  }

  /// The places of all pairs: the best first, and of equals the first row.
  var bestFirst: [Int32] {
    (0..<Int32(rows.count)).sorted { a, b in
      let (a, b) = (Int(a), Int(b))
      return (qualities[b], rows[a]) < (qualities[a], rows[b])
    }
  }

  /// A pair without what no verdict of the run's own goes by: its uid and its URL.
  subscript(_ place: Int) -> JudgedPair {
    let start = places[place]
    return JudgedPair(
      row: rows[place], uid: Self.noUID,
      sha256: oddDigests[place] ?? Self.hex(digests[place * 32..<place * 32 + 32]),
      signature: start < 0
        ? nil
        : PictureSignature(bytes: Array(looks[start..<start + PictureSignature.byteCount])),
      caption: hasCaptions ? captions[place] : "", url: "", quality: qualities[place])
  }

  private static let noUID = String(repeating: "0", count: 32)

  /// Nil for what ``hex(_:)`` would write otherwise.
  private static func bytes(ofHex text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    var high: UInt8?
    for digit in text.utf8 {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes.count == 32 && high == nil ? bytes : nil
  }

  private static let digits = Array("0123456789abcdef".utf8)

  private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
    String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
