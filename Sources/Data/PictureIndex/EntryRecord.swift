import PerceptualHash
import SegmentFile

/// An entry as bytes of a fixed number.
///
/// The key (8), the uid (16), the row (8), the digest (16), what is there (1), the signature, and zeros up
/// to a multiple of 8; numbers are little-endian, and what is not there is zeros.
enum EntryRecord {
  static let size = (signature + PictureSignature.byteCount + 7) / 8 * 8
  static let digest = 32
  private static let parts = 48
  private static let signature = 49
  private static let hasDigest: UInt8 = 1
  private static let hasSignature: UInt8 = 2

  static func store(_ entry: PictureEntry, at place: Int, in room: inout MutableRawSpan) {
    room.store(entry.signature?.key ?? 0, at: place)
    room.store(entry.uid.high, at: place + 8)
    room.store(entry.uid.low, at: place + 16)
    room.store(UInt64(bitPattern: Int64(entry.row)), at: place + 24)
    room.store(entry.digest?.high ?? 0, at: place + digest)
    room.store(entry.digest?.low ?? 0, at: place + digest + 8)
    let parts =
      (entry.digest == nil ? 0 : hasDigest) | (entry.signature == nil ? 0 : hasSignature)
    room.storeBytes(of: parts, toByteOffset: place + Self.parts, as: UInt8.self)
    if let signature = entry.signature { room.store(signature.bytes, at: place + Self.signature) }
  }

  static func key(at place: Int, in bytes: RawSpan) -> UInt64? {
    bytes.byte(at: place + parts) & hasSignature == 0 ? nil : bytes.word(at: place)
  }

  static func digest(at place: Int, in bytes: RawSpan) -> Name128? {
    guard bytes.byte(at: place + parts) & hasDigest != 0 else { return nil }
    return Name128(high: bytes.word(at: place + digest), low: bytes.word(at: place + digest + 8))
  }

  static func entry(at place: Int, in bytes: RawSpan) -> PictureEntry {
    var signature: PictureSignature?
    if key(at: place, in: bytes) != nil {
      let start = place + Self.signature
      // Nil for bytes that are none: of a damaged file, as `verify` says.
      signature = PictureSignature(bytes: bytes.array(start..<start + PictureSignature.byteCount))
    }
    return PictureEntry(
      uid: Name128(high: bytes.word(at: place + 8), low: bytes.word(at: place + 16)),
      row: Int(Int64(bitPattern: bytes.word(at: place + 24))),
      digest: digest(at: place, in: bytes), signature: signature)
  }

  /// Whether the bytes are those that some entry gives.
  static func isSound(at place: Int, in bytes: RawSpan) -> Bool {
    let parts = bytes.byte(at: place + Self.parts)
    guard parts <= hasDigest | hasSignature else { return false }
    let end = signature + PictureSignature.byteCount
    guard (end..<size).allSatisfy({ bytes.byte(at: place + $0) == 0 }) else { return false }
    let entry = entry(at: place, in: bytes)
    guard (entry.signature == nil) == (parts & hasSignature == 0) else { return false }
    return bytes.word(at: place) == entry.signature?.key ?? 0
  }
}
