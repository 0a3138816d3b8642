/// What stands in a JPEG's application segments before the first scan.
///
/// ITU-T T.81 §B.1.1: a marker is FF and a code, a segment's length counts itself. Nothing here is
/// copied but the profile's pieces.
enum JPEGSegments {
  struct Found {
    /// The TIFF structure after "Exif\0\0" of the first APP1 that has one.
    var exif: Range<Int>?
    /// The data of each APP2 "ICC_PROFILE" segment, by its number from 1.
    var profilePieces: [Int: Range<Int>] = [:]
    /// How many pieces the first of them says there are.
    var profileCount = 0
    /// Whether an APP14 is Adobe's, which libjpeg takes inks by.
    var isAdobe = false
  }

  static func read(_ bytes: [UInt8]) -> Found {
    var found = Found()
    var offset = 2
    while offset + 4 <= bytes.count {
      guard bytes[offset] == 0xFF else {
        offset += 1  // untidy bytes between segments, which libjpeg passes over too
        continue
      }
      let marker = bytes[offset + 1]
      if marker == 0xFF {
        offset += 1
        continue
      }
      if marker == 0xDA || marker == 0xD9 { break }
      if marker == 0 || marker == 1 || (0xD0...0xD8).contains(marker) {
        offset += 2
        continue
      }
      let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
      let (start, end) = (offset + 4, offset + 2 + length)
      guard length >= 2, end <= bytes.count else { break }
      if marker == 0xE1, found.exif == nil, bytes.has(exifName, in: start..<end) {
        found.exif = start + exifName.count..<end
      }
      if marker == 0xE2, end - start > profileName.count + 2,
        bytes.has(profileName, in: start..<end)
      {
        let number = Int(bytes[start + profileName.count])
        if found.profileCount == 0 { found.profileCount = Int(bytes[start + 13]) }
        if found.profilePieces[number] == nil {
          found.profilePieces[number] = start + profileName.count + 2..<end
        }
      }
      if marker == 0xEE, end - start >= 12, bytes.has(adobeName, in: start..<end) {
        found.isAdobe = true
      }
      offset = end
    }
    return found
  }

  /// The profile put together, if no piece is missing (ICC.1:2010 §B.4).
  static func profile(_ found: Found, in bytes: [UInt8]) -> [UInt8]? {
    guard found.profileCount > 0 else { return nil }
    var profile: [UInt8] = []
    for number in 1...found.profileCount {
      guard let piece = found.profilePieces[number] else { return nil }
      profile += bytes[piece]
      if profile.count > ColourProfile.maxBytes { return nil }
    }
    return profile
  }

  private static let exifName = Array("Exif\0\0".utf8)
  private static let adobeName = Array("Adobe".utf8)
  private static let profileName = Array("ICC_PROFILE\0".utf8)
}

extension [UInt8] {
  /// Whether `range` of these bytes begins with `name`.
  func has(_ name: [UInt8], in range: Range<Int>) -> Bool {
    range.count >= name.count && self[range].starts(with: name)
  }
}
