import CZlib

/// Unpacks gzip members (RFC 1952), one after the other, piece by piece.
@safe public final class GzipDecoder {
  private let stream: UnsafeMutablePointer<z_stream>

  public init() throws(CompressionError) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 16 more window bits ask for a gzip header instead of a zlib one.
    let code = unsafe inflateInit2_(
      stream, 16 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else {
      unsafe stream.deallocate()
      throw CompressionError("zlib has no room for a stream (code \(code))")
    }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Unpacks some of `input` to at most `room` bytes.
  ///
  /// After the end of a member the next call begins another. After an error the decoder is of no
  /// more use.
  public func decode(
    _ input: ArraySlice<UInt8>, room: Int
  ) throws(CompressionError) -> DecompressedPiece {
    var code = Z_OK
    var consumed = 0
    let content = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, filled in
      unsafe input.withUnsafeBufferPointer { source in
        // zlib's contract: next_in is only read, though it is not declared const.
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(clamping: source.count)
        unsafe stream.pointee.next_out = target.baseAddress
        unsafe stream.pointee.avail_out = UInt32(clamping: room)
        let offered = unsafe (stream.pointee.avail_in, stream.pointee.avail_out)
        code = unsafe inflate(stream, Z_NO_FLUSH)
        consumed = unsafe Int(offered.0 - stream.pointee.avail_in)
        filled = unsafe Int(offered.1 - stream.pointee.avail_out)
      }
    }
    switch code {
    case Z_OK, Z_BUF_ERROR: break  // the latter: nothing could be done with so little
    case Z_STREAM_END: unsafe inflateReset(stream)
    default:
      let words = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
      throw CompressionError(words ?? "zlib code \(code)")
    }
    return DecompressedPiece(consumed: consumed, content: content, isEnd: code == Z_STREAM_END)
  }
}

/// Packs one gzip member.
enum Gzip {
  static func compress(_ bytes: [UInt8]) -> [UInt8] {
    var stream = unsafe z_stream()
    let opened = unsafe deflateInit2_(
      &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY,
      ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(opened == Z_OK, "zlib has no room for a stream (code \(opened))")
    defer { unsafe deflateEnd(&stream) }
    let bound = Int(unsafe deflateBound(&stream, UInt(bytes.count)))
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { target, filled in
      let code = unsafe bytes.withUnsafeBufferPointer { source in
        unsafe stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        unsafe stream.avail_in = UInt32(source.count)
        unsafe stream.next_out = target.baseAddress
        unsafe stream.avail_out = UInt32(bound)
        return unsafe deflate(&stream, Z_FINISH)
      }
      // The bound is zlib's promise that one call suffices.
      precondition(code == Z_STREAM_END, "zlib refused to compress \(bytes.count) bytes")
      filled = unsafe Int(stream.total_out)
    }
  }
}
