import CZstd

/// Unpacks zstd frames (RFC 8878), one after the other, piece by piece.
@safe public final class ZstdDecoder {
  private let stream: OpaquePointer
  private static let longestWindow: Int32 = 27  // 128 MiB: what the command-line tool allows

  public init() throws(CompressionError) {
    guard let stream = unsafe ZSTD_createDStream() else {
      throw CompressionError("zstd: out of memory")
    }
    unsafe self.stream = stream
    _ = unsafe ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, Self.longestWindow)
  }

  deinit { unsafe ZSTD_freeDStream(stream) }

  /// Unpacks some of `input` to at most `room` bytes.
  ///
  /// After the end of a frame the next call begins another. After an error the decoder is of no
  /// more use.
  public func decode(
    _ input: ArraySlice<UInt8>, room: Int
  ) throws(CompressionError) -> DecompressedPiece {
    var code = 0
    var consumed = 0
    let content = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, filled in
      unsafe input.withUnsafeBytes { source in
        var from = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
        var to = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: room, pos: 0)
        code = unsafe ZSTD_decompressStream(stream, &to, &from)
        consumed = unsafe from.pos
        filled = unsafe to.pos
      }
    }
    try Zstd.check(code)
    return DecompressedPiece(consumed: consumed, content: content, isEnd: code == 0)
  }
}

/// Whole zstd frames.
enum Zstd {
  static func compress(_ bytes: [UInt8], level: Int32) -> [UInt8] {
    let bound = ZSTD_compressBound(bytes.count)
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { target, filled in
      let count = unsafe bytes.withUnsafeBytes { source in
        unsafe ZSTD_compress(target.baseAddress, bound, source.baseAddress, source.count, level)
      }
      // The bound is zstd's promise that this succeeds.
      precondition(ZSTD_isError(count) == 0, "zstd refused to compress \(bytes.count) bytes")
      filled = count
    }
  }

  static func decompress(
    _ bytes: ArraySlice<UInt8>, size: Int
  ) throws(CompressionError) -> [UInt8] {
    var code = 0
    let content = unsafe [UInt8](unsafeUninitializedCapacity: size) { target, filled in
      code = unsafe bytes.withUnsafeBytes { source in
        unsafe ZSTD_decompress(target.baseAddress, size, source.baseAddress, source.count)
      }
      filled = ZSTD_isError(code) == 0 ? code : 0
    }
    try check(code)
    return content
  }

  static func check(_ code: Int) throws(CompressionError) {
    guard ZSTD_isError(code) != 0 else { return }
    // Safe: the names are constants of the library.
    throw CompressionError("zstd: " + (unsafe String(cString: ZSTD_getErrorName(code))))
  }
}
