import CLZ4
import CSnappy

/// Codecs for blocks whose unpacked size is known, as columnar files hold them.
public enum BlockCodec: String, Sendable, CaseIterable {
  case snappy, gzip, zstd
  /// LZ4's block format, without a frame around it.
  case lz4Raw = "lz4_raw"

  /// The packed form of `bytes`: the same for the same library.
  public func compress(_ bytes: [UInt8]) -> [UInt8] {
    switch self {
    case .snappy: Self.snappy(bytes)
    case .gzip: Gzip.compress(bytes)
    case .zstd: Zstd.compress(bytes, level: 3)
    case .lz4Raw: Self.lz4(bytes)
    }
  }

  /// Unpacks a block to exactly `size` bytes.
  ///
  /// - Parameters:
  ///   - bytes: The packed block.
  ///   - size: What its unpacked form must have; memory is taken for it, so bound it first.
  /// - Returns: The content.
  /// - Throws: ``CompressionError`` for damaged bytes and for another size.
  public func decompress(
    _ bytes: ArraySlice<UInt8>, size: Int
  ) throws(CompressionError) -> [UInt8] {
    let content: [UInt8] =
      switch self {
      case .snappy: try Self.unsnappy(bytes, size: size)
      case .gzip: try Self.gunzip(bytes, size: size)
      case .zstd: try Zstd.decompress(bytes, size: size)
      case .lz4Raw: try Self.unlz4(bytes, size: size)
      }
    guard content.count == size else {
      throw CompressionError("\(rawValue): \(content.count) bytes where \(size) were promised")
    }
    return content
  }

  private static func snappy(_ bytes: [UInt8]) -> [UInt8] {
    let bound = snappy_max_compressed_length(bytes.count)
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { target, filled in
      var count = bound
      let status = unsafe bytes.withUnsafeBytes { source in
        unsafe snappy_compress(
          source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count,
          UnsafeMutableRawPointer(target.baseAddress)?.assumingMemoryBound(to: CChar.self), &count)
      }
      precondition(status == SNAPPY_OK, "snappy refused to compress \(bytes.count) bytes")
      filled = count
    }
  }

  private static func unsnappy(
    _ bytes: ArraySlice<UInt8>, size: Int
  ) throws(CompressionError) -> [UInt8] {
    var status = SNAPPY_OK
    let content = unsafe [UInt8](unsafeUninitializedCapacity: size) { target, filled in
      var count = size
      status = unsafe bytes.withUnsafeBytes { source in
        unsafe snappy_uncompress(
          source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count,
          UnsafeMutableRawPointer(target.baseAddress)?.assumingMemoryBound(to: CChar.self), &count)
      }
      filled = status == SNAPPY_OK ? count : 0
    }
    guard status == SNAPPY_OK else { throw CompressionError("snappy: the block is damaged") }
    return content
  }

  private static func gunzip(
    _ bytes: ArraySlice<UInt8>, size: Int
  ) throws(CompressionError) -> [UInt8] {
    let decoder = try GzipDecoder()
    var content: [UInt8] = []
    var rest = bytes
    while !rest.isEmpty {
      // One byte more than promised shows a block that is too long.
      let piece = try decoder.decode(rest, room: size - content.count + 1)
      content += piece.content
      rest = rest.dropFirst(piece.consumed)
      if piece.isEnd { continue }
      guard content.count <= size, piece.consumed > 0 || !piece.content.isEmpty else { break }
      if rest.isEmpty { throw CompressionError("gzip: the block ends early") }
    }
    return content
  }

  private static func lz4(_ bytes: [UInt8]) -> [UInt8] {
    let bound = Int(LZ4_compressBound(Int32(bytes.count)))
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { target, filled in
      let count = unsafe bytes.withUnsafeBytes { source in
        unsafe LZ4_compress_default(
          source.baseAddress?.assumingMemoryBound(to: CChar.self),
          UnsafeMutableRawPointer(target.baseAddress)?.assumingMemoryBound(to: CChar.self),
          Int32(source.count), Int32(bound))
      }
      precondition(count > 0 || bytes.isEmpty, "liblz4 refused to compress \(bytes.count) bytes")
      filled = Int(count)
    }
  }

  private static func unlz4(
    _ bytes: ArraySlice<UInt8>, size: Int
  ) throws(CompressionError) -> [UInt8] {
    var count: Int32 = 0
    let content = unsafe [UInt8](unsafeUninitializedCapacity: size) { target, filled in
      count = unsafe bytes.withUnsafeBytes { source in
        unsafe LZ4_decompress_safe(
          source.baseAddress?.assumingMemoryBound(to: CChar.self),
          UnsafeMutableRawPointer(target.baseAddress)?.assumingMemoryBound(to: CChar.self),
          Int32(clamping: source.count), Int32(clamping: size))
      }
      filled = max(0, Int(count))
    }
    guard count >= 0 else { throw CompressionError("lz4: the block is damaged") }
    return content
  }
}
