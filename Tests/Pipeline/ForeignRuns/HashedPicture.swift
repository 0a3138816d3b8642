import ContentHashing

/// The digest that img2dataset writes beside a picture.
enum HashedPicture {
  static func sha256(_ bytes: [UInt8]) -> String { ContentHash.sha256Hex(bytes) }
}
