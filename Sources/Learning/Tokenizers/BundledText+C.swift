import CCLIPVocabulary
import CZlib

/// The texts that live in the program, unpacked.
enum BundledText {
  /// OpenAI's table of merges: a header and 48,894 lines.
  static func clipMerges() -> String { unsafe unpacked(pairloom_clip_merges()) }

  /// The named character references of HTML, one a line; `make_data.py` tells the format.
  static func htmlEntities() -> String { unsafe unpacked(pairloom_html_entities()) }

  private static func unpacked(_ blob: PairloomBlob) -> String {
    // The last four bytes of a gzip file are the length of what it holds (RFC 1952 §2.3.1).
    var length = 0
    for index in 1...4 { length = unsafe length << 8 | Int(blob.bytes[blob.length - index]) }

    var code = Z_OK
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, filled in
      var stream = unsafe z_stream()
      // zlib's contract: next_in is only read, though it is not declared const.
      unsafe stream.next_in = UnsafeMutablePointer(mutating: blob.bytes)
      unsafe stream.avail_in = UInt32(blob.length)
      unsafe stream.next_out = buffer.baseAddress
      unsafe stream.avail_out = UInt32(length)
      // 16 more window bits ask for a gzip header instead of a zlib one.
      code = unsafe inflateInit2_(
        &stream, 16 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      if code == Z_OK { code = unsafe inflate(&stream, Z_FINISH) }
      filled = unsafe Int(stream.total_out)
      unsafe inflateEnd(&stream)
    }
    precondition(
      code == Z_STREAM_END && bytes.count == length,
      "the program's own text unpacks to \(bytes.count) of \(length) bytes: install Pairloom anew")
    return String(decoding: bytes, as: UTF8.self)
  }
}
