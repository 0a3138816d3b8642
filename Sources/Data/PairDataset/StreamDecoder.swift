import Compression

/// Unpacks LZ4 frames, gzip members or zstd frames, as a file's first bytes say.
enum StreamDecoder {
  case lz4(LZ4FrameDecoder)
  case gzip(GzipDecoder)
  case zstd(ZstdDecoder)

  /// Nil where the first four bytes of a file begin none of them, as a plain tar does not.
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

  func decode(_ input: ArraySlice<UInt8>, room: Int) throws(CompressionError) -> DecompressedPiece {
    switch self {
    case .lz4(let decoder): try decoder.decode(input, room: room)
    case .gzip(let decoder): try decoder.decode(input, room: room)
    case .zstd(let decoder): try decoder.decode(input, room: room)
    }
  }
}
