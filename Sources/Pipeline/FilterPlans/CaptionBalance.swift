import ContentHashing
import DurableFiles
import PipelineCore

/// MetaCLIP's balancing: captions of frequent entries are thinned out, those of rare ones all stay.
///
/// An entry that n captions hold fires with probability min(1, t/n) for each of them; a pair is kept when any
/// of its entries fires. The draw is a hash of seed, uid and entry: the same for any order of pairs, shards
/// and entries.
///
/// - Source: Xu et al. 2023 (arXiv:2309.16671), algorithm 1; MetaCLIP's balancing.py.
public struct CaptionBalance: Sendable, Equatable {
  public var column: ColumnChoice
  public var metadata: MetadataEntries
  public var t: Double
  public var seed: UInt64
  public var of: TopFraction.Population

  public init(
    column: ColumnChoice, metadata: MetadataEntries, t: Double, seed: UInt64 = 0,
    of population: TopFraction.Population = .all
  ) {
    self.column = column
    self.metadata = metadata
    self.t = t
    self.seed = seed
    of = population
  }

  var words: String {
    "\(column.words) balanced by \(metadata.entries.count) entries (\(metadata.sha256.prefix(12)), t \(Comparison.short(t)),"
      + " seed \(seed))" + (of == .kept ? " of what is left" : "")
  }

  /// Whether an entry that `count` captions hold fires for a pair.
  ///
  /// `hash` is the entry's, ``MetadataEntries/hash(of:)``.
  static func fires(
    seed: UInt64, _ uid: PairUID, hash: UInt64, count: Int, t: Double
  ) -> Bool {
    guard Double(count) > t else { return true }
    let draw = mix(mix(mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ uid.high) ^ uid.low) ^ hash
    // 53 bits, as many as a Double holds: uniform over 0 ..< 1.
    return Double(mix(draw) >> 11) * 0x1p-53 < t / Double(count)
  }

  /// The finisher of SplitMix64 (Steele, Lea and Flood 2014).
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// The entries that captions are balanced by: words and phrases.
public final class MetadataEntries: Sendable, Equatable {
  public let entries: [String]
  /// Over the entries in their order, a line each.
  let sha256: String
  private static let mostBytes = 1 << 28

  /// - Parameter entries: An entry that is there twice counts once.
  public init(_ entries: [String]) {
    var seen: Set<[UInt8]> = []
    self.entries = entries.filter { !$0.isEmpty && seen.insert(Array($0.utf8)).inserted }
    sha256 = ContentHash.sha256Hex(Array(self.entries.map { $0 + "\n" }.joined().utf8))
  }

  /// Reads a JSON list of texts, as MetaCLIP's metadata.json is one, or a file with an entry a line.
  ///
  /// - Throws: `FileError`; ``FilterPlanError`` for a file of other content.
  public convenience init(path: String) throws {
    guard try DurableFile.size(of: path) <= Self.mostBytes else {
      throw FilterPlanError(path: path, line: 0, "it has more than 256 MiB, which is no list")
    }
    let bytes = try DurableFile.read(path)
    if bytes.first(where: { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }) == UInt8(ascii: "[") {
      guard let texts = JSONTextList.read(bytes) else {
        throw FilterPlanError(path: path, line: 0, "it is no JSON list of texts")
      }
      self.init(texts)
    } else {
      self.init(
        bytes.split(separator: 0x0A).map { line in
          String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
        })
    }
    if entries.isEmpty { throw FilterPlanError(path: path, line: 0, "it holds no entries") }
  }

  public static func == (a: MetadataEntries, b: MetadataEntries) -> Bool { a.sha256 == b.sha256 }

  /// The entry's part of a draw.
  static func hash(of entry: String) -> UInt64 {
    ContentHash.sha256(Array(entry.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
