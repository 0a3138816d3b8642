import CaptionMatching
import ContentHashing
public import PerceptualHash
public import PictureIndex
import PipelineCore

/// A decoded pair, as the judge sees it.
public struct JudgedPair: Sendable {
  public var row: Int
  public var uid: String
  /// SHA-256 of the downloaded bytes; `DecodedRow.unknownSHA256` where nobody has kept it.
  public var sha256: String
  public var signature: PictureSignature?
  public var caption: String
  public var url: String
  /// What ``DuplicateRules/Keep/best`` goes by.
  public var quality: Double

  public init(
    row: Int, uid: String, sha256: String, signature: PictureSignature?, caption: String,
    url: String, quality: Double
  ) {
    self.row = row
    self.uid = uid
    self.sha256 = sha256
    self.signature = signature
    self.caption = caption
    self.url = url
    self.quality = quality
  }

  /// The beginning of the digest; nil where nobody knows it.
  public var digest: Name128? {
    sha256 == DecodedRow.unknownSHA256 ? nil : Name128(hex: sha256)
  }

  /// The pair in a picture index.
  ///
  /// A uid of other digits than ours, such as an imported one, goes by the SHA-256 of its text.
  public var entry: PictureEntry {
    PictureEntry(uid: Self.name(uid), row: row, digest: digest, signature: signature)
  }

  static func name(_ text: String) -> Name128 {
    if text.utf8.count == 32, let name = Name128(hex: text) { return name }
    return Self.digest(of: text)
  }

  static func digest(of text: String) -> Name128 {
    guard let name = Name128(hex: ContentHash.sha256Hex(Array(text.utf8))) else {
      preconditionFailure("a SHA-256 has 64 hexadecimal digits")
    }
    return name
  }

  /// The pair in an index in which a picture counts with its caption: named by the caption, and found
  /// by bytes only where both are the same.
  var entryWithCaption: PictureEntry {
    let caption = Self.digest(of: NormalizedCaption.text(of: caption))
    return PictureEntry(
      uid: caption, row: row, digest: digest.map { Self.digest(of: $0.hex + caption.hex) },
      signature: signature)
  }
}
