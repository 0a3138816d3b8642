import Compression

/// Unpacks LZ4 frames, gzip members or zstd frames, as a file's first bytes say.
enum StreamDecoder {
  case lz4(LZ4FrameDecoder)
  case gzip(GzipDecoder)
  case zstd(ZstdDecoder)

  /// The content that one step of gzip or zstd gives at most.
  private static let pieceSize = 1 << 20

  /// Nil where the first bytes of a file begin none of them, as a plain tar does not.
  init?(beginning bytes: [UInt8]) throws(CompressionError) {
    if LZ4Frame.begins(bytes) {
      self = .lz4(try LZ4FrameDecoder())
    } else if bytes.starts(with: [0x1F, 0x8B]) {
      self = .gzip(try GzipDecoder())
    } else if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
      self = .zstd(try ZstdDecoder())
    } else {
      return nil
    }
  }

  /// Whether a file with these first four bytes is compressed.
  static func begins(_ bytes: [UInt8]) -> Bool {
    LZ4Frame.begins(bytes) || bytes.starts(with: [0x1F, 0x8B])
      || bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
  }

  /// The name of a format of archives that is recognised and not read; nil for others.
  static func unsupportedFormat(_ bytes: [UInt8]) -> String? {
    if bytes.starts(with: Array("BZh".utf8)) { return "bzip2" }
    if bytes.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A]) { return "xz" }
    if bytes.starts(with: Array("PK".utf8) + [3, 4]) { return "zip" }
    if bytes.starts(with: [0x37, 0x7A, 0xBC, 0xAF]) { return "7-zip" }
    if bytes.starts(with: Array("Rar!".utf8)) { return "rar" }
    return nil
  }

  /// Unpacks some of `input[range]` to the start of `room`, which is replaced where it is too small.
  func decode(
    _ input: [UInt8], _ range: Range<Int>, into room: inout [UInt8]
  ) throws(CompressionError) -> DecompressionStep {
    let piece: DecompressedPiece
    switch self {
    case .lz4(let decoder): return try decoder.decode(input, range, into: &room)
    case .gzip(let decoder): piece = try decoder.decode(input[range], room: Self.pieceSize)
    case .zstd(let decoder): piece = try decoder.decode(input[range], room: Self.pieceSize)
    }
    room = piece.content
    return DecompressionStep(
      consumed: piece.consumed, written: piece.content.count, isEnd: piece.isEnd)
  }
}
