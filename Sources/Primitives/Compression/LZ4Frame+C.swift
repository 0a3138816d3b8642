import CLZ4

/// LZ4 frames (LZ4 Frame Format 1.6.3) through liblz4's frame interface.
public enum LZ4Frame {
  /// The largest block of a frame, decoded; liblz4 decodes into as much room without a copy.
  static let largestBlock = 4 << 20

  /// Whether `bytes` begin with a frame, a skippable one included (§ Frame format, § Skippable).
  public static func begins(_ bytes: some Collection<UInt8>) -> Bool {
    let magic = bytes.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    return bytes.count >= 4 && (magic == 0x184D_2204 || magic & 0xFFFF_FFF0 == 0x184D_2A50)
  }

  /// One whole frame that holds its content's size and checksum, at liblz4's default speed.
  ///
  /// The same bytes give the same frame with the same liblz4.
  public static func compress(_ content: [UInt8]) -> [UInt8] {
    var preferences = LZ4F_preferences_t()
    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
    preferences.frameInfo.contentSize = UInt64(content.count)
    preferences.frameInfo.blockSizeID = LZ4F_max4MB
    preferences.compressionLevel = 0
    let bound = unsafe LZ4F_compressFrameBound(content.count, &preferences)
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { room, filled in
      let count = unsafe content.withUnsafeBytes { source in
        unsafe LZ4F_compressFrame(
          room.baseAddress, bound, source.baseAddress, source.count, &preferences)
      }
      // The bound is liblz4's promise that this succeeds.
      precondition(LZ4F_isError(count) == 0, "liblz4 refused to compress \(content.count) bytes")
      filled = count
    }
  }
}

/// Decodes one frame after another, piece by piece.
@safe public final class LZ4FrameDecoder {
  private let context: OpaquePointer

  public init() throws(CompressionError) {
    var made: OpaquePointer?
    let code = unsafe LZ4F_createDecompressionContext(&made, UInt32(LZ4F_VERSION))
    try Self.check(code)
    guard let made = unsafe made else { throw CompressionError("lz4: out of memory") }
    unsafe context = made
  }

  deinit { unsafe LZ4F_freeDecompressionContext(context) }

  /// Decodes some of `input` to at most `room` bytes.
  ///
  /// After a failure the decoder is of no more use.
  public func decode(_ input: ArraySlice<UInt8>, room: Int) throws(CompressionError)
    -> DecompressedPiece
  {
    var consumed = input.count
    var code = 0
    let content = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, filled in
      var count = room
      code = unsafe input.withUnsafeBytes { source in
        unsafe LZ4F_decompress(
          context, target.baseAddress, &count, source.baseAddress, &consumed, nil)
      }
      filled = LZ4F_isError(code) == 0 ? count : 0
    }
    try Self.check(code)
    return DecompressedPiece(consumed: consumed, content: content, isEnd: code == 0)
  }

  /// Decodes some of `input[range]` to the start of `room`; an empty room is made large enough.
  ///
  /// Whole blocks in `input` are decoded without a further copy. What is in `room` behind the bytes
  /// written is undefined.
  /// After a failure the decoder is of no more use.
  public func decode(
    _ input: [UInt8], _ range: Range<Int>, into room: inout [UInt8]
  ) throws(CompressionError) -> DecompressionStep {
    precondition(range.upperBound <= input.count, "\(range) of \(input.count) bytes")
    if room.isEmpty {
      let size = LZ4Frame.largestBlock
      room = unsafe [UInt8](unsafeUninitializedCapacity: size) { _, filled in filled = size }
    }
    var consumed = range.count
    var written = room.count
    let code = unsafe input.withUnsafeBytes { source in
      unsafe room.withUnsafeMutableBytes { target in
        unsafe LZ4F_decompress(
          context, target.baseAddress, &written,
          source.baseAddress.map { unsafe $0 + range.lowerBound }, &consumed, nil)
      }
    }
    try Self.check(code)
    return DecompressionStep(consumed: consumed, written: written, isEnd: code == 0)
  }

  private static func check(_ code: Int) throws(CompressionError) {
    guard LZ4F_isError(code) != 0 else { return }
    guard let words = unsafe LZ4F_getErrorName(code) else {
      throw CompressionError("lz4: code \(code)")
    }
    throw unsafe CompressionError(String(cString: words))
  }
}
