internal import CCaptionLanguage
import Compression

/// The model's file that lives in the program.
enum BundledModel {
  /// The gzip file.
  static func packed() -> [UInt8] {
    let blob = unsafe pairloom_caption_language_model()
    // Safe: the blob is a constant of the program.
    return unsafe Array(UnsafeBufferPointer(start: blob.bytes, count: blob.length))
  }

  static func unpacked(_ packed: [UInt8]) -> [UInt8] {
    // The last four bytes of a gzip file are the length of what it holds (RFC 1952 §2.3.1).
    let length = packed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    do {
      return try BlockCodec.gzip.decompress(packed[...], size: length)
    } catch {
      preconditionFailure("the program's own model is damaged (\(error)): install Pairloom anew")
    }
  }
}
