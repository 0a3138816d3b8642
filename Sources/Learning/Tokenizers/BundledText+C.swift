import CCLIPVocabulary
import Compression

/// The texts that live in the program, unpacked.
enum BundledText {
  /// OpenAI's table of merges: a header and 48,894 lines.
  static func clipMerges() -> String { unsafe unpacked(pairloom_clip_merges()) }

  /// The named character references of HTML, one a line; `make_data.py` tells the format.
  static func htmlEntities() -> String { unsafe unpacked(pairloom_html_entities()) }

  /// Properties of characters and what ftfy knows of mojibake; `make_text_tables.py` tells the format.
  static func textTables() -> String { unsafe unpacked(pairloom_text_tables()) }

  private static func unpacked(_ blob: PairloomBlob) -> String {
    // Safe: the blob is a constant of the program.
    let packed = unsafe Array(UnsafeBufferPointer(start: blob.bytes, count: blob.length))
    // The last four bytes of a gzip file are the length of what it holds (RFC 1952 §2.3.1).
    let length = packed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    do {
      return String(
        decoding: try BlockCodec.gzip.decompress(packed[...], size: length), as: UTF8.self)
    } catch {
      preconditionFailure("the program's own text is damaged (\(error)): install Pairloom anew")
    }
  }
}
