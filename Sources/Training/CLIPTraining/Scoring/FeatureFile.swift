import ContentHashing
import DurableFiles
import SegmentFile

/// Features on disk, by what they were made of: segments of keys and floats.
struct FeatureFile {
  private static let magic = Array("PLFEAT01".utf8)
  private enum Kind: UInt32 { case description = 1, rows = 2 }

  /// Whether this process is the one that writes.
  let isWritable: Bool
  private let width: Int
  private let mostBytes: Int
  private let file: SegmentFile
  private(set) var places: [FeatureKey: (segment: Int, row: Int)] = [:]
  private var indexed = 0

  /// Opens the file of a description, to write to it if no other process does.
  ///
  /// - Parameters:
  ///   - folder: Must be there.
  ///   - description: All that features depend on beside their key; its hash is the file's name.
  ///   - width: Numbers of a feature.
  ///   - mostBytes: The size that the file does not grow beyond.
  /// - Throws: `SegmentFileError` and `FileError`.
  init(folder: String, description: [String: String], width: Int, mostBytes: Int) throws {
    self.width = width
    self.mostBytes = mostBytes
    let lines = description.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }
    let bytes = Array((lines.joined() + "width=\(width)\n").utf8)
    let path = "\(folder)/\(ContentHash.sha256Hex(bytes).prefix(32)).features"
    (file, isWritable) = try Self.open(path)
    if file.segments.isEmpty, isWritable {
      try file.append([.init(kind: Kind.description.rawValue, batches: 0...0, bytes: bytes)])
    }
    try index()
  }

  private static func open(_ path: String) throws -> (SegmentFile, Bool) {
    do {
      return (try SegmentFile(path, magic: magic, isWritable: true), true)
    } catch let error as SegmentFileError where error.reason == .inUse {
      return (try SegmentFile(path, magic: magic, isWritable: false), false)
    }
  }

  /// Finds the rows of segments that are new.
  private mutating func index() throws {
    for (number, segment) in file.segments.enumerated().dropFirst(indexed)
    where segment.kind == Kind.rows.rawValue {
      let count = segment.bytes.count / (16 + 4 * width)
      guard segment.bytes.count == count * (16 + 4 * width) else {
        throw SegmentFileError(.damaged("features of another width"), path: file.path, offset: 0)
      }
      segment.bytes.withBytes { bytes in
        for row in 0..<count {
          let key = FeatureKey(
            high: segment.bytes.word(at: row * 16), low: segment.bytes.word(at: row * 16 + 8))
          places[key] = (number, row)
        }
      }
    }
    indexed = file.segments.count
  }

  /// The feature of `key`, if it is there.
  func row(_ key: FeatureKey) -> [Float]? {
    guard let (number, row) = places[key] else { return nil }
    let bytes = file.segments[number].bytes
    let count = bytes.count / (16 + 4 * width)
    let start = 16 * count + 4 * width * row
    return (0..<width).map { Float(bitPattern: bytes.halfWord(at: start + 4 * $0)) }
  }

  /// Appends features, all or none; a file that would grow too large is left as it is.
  mutating func append(_ rows: [(FeatureKey, [Float])]) throws {
    let size = rows.count * (16 + 4 * width)
    guard !rows.isEmpty, file.byteCount + size <= mostBytes else { return }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    for (key, _) in rows {
      for word in [key.high, key.low] {
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
      }
    }
    for (_, row) in rows {
      for value in row {
        let bits = value.bitPattern
        for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(8 * shift))) }
      }
    }
    let batch = file.segments.count
    try file.append([.init(kind: Kind.rows.rawValue, batches: batch...batch, bytes: bytes)])
    try index()
  }
}
