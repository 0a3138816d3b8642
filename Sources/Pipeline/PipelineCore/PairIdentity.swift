import ContentHashing
public import PairDataset

/// The stable name of a pair: the first 128 bits of SHA-256 over its normalised URL, a line feed and
/// its caption, as 32 hexadecimal digits.
///
/// It depends on nothing but the pair, so reruns, other chunk sizes and resharding keep it.
public enum PairIdentity {
  public static func uid(normalizedURL: String, caption: String) -> String {
    uid(of: Array((normalizedURL + "\n" + caption).utf8))
  }

  /// The name of whatever has these identifying bytes: normalised URL, line feed and caption, or
  /// picture and caption.
  public static func uid(of identity: [UInt8]) -> String {
    ContentHash.hex(Array(ContentHash.sha256(identity).prefix(16)))
  }

  /// Appends the 32 digits of ``uid(of:)`` to `bytes`.
  public static func append(uidOf identity: [UInt8], to bytes: inout [UInt8]) {
    let digest = ContentHash.sha256(identity)
    for index in 0..<16 {
      bytes.append(digit(digest[index] >> 4))
      bytes.append(digit(digest[index] & 15))
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

  /// The name of a pair of any shard, Pairloom's own or foreign.
  ///
  /// The JSON's `uid`, else that of the JSON's URL and the caption, else the first 128 bits of SHA-256
  /// over picture and caption.
  ///
  /// - Parameter pair: As it was read.
  /// - Returns: 32 hexadecimal digits, or the `uid` as it stands.
  public static func uid(of pair: Pair) -> String {
    var metadata: JSONValue?
    // A foreign shard's JSON may be anything; without it picture and caption are the identity.
    do throws(JSONError) { metadata = try JSONValue.parse(pair.metadata) } catch {}
    if let uid = metadata?["uid"]?.text { return uid }
    if let url = metadata?["url"]?.text, let normalized = NormalizedURL.normalize(url) {
      return uid(normalizedURL: normalized, caption: pair.caption)
    }
    return uid(of: pair.image + Array(pair.caption.utf8))
  }
}
