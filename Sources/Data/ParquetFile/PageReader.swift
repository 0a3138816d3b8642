import Compression

/// A page, unpacked and checked.
struct Page {
  var header: PageHeader
  /// Levels and values; those of a second version's page follow each other as they are stored.
  var bytes: [UInt8]
}

/// Reads the pages of a column chunk one after the other.
struct PageReader {
  private let source: ParquetSource
  private let codec: BlockCodec?
  private let limits: ParquetLimits
  private(set) var offset: Int

  init(
    _ source: ParquetSource, at offset: Int, codec: BlockCodec?, limits: ParquetLimits
  ) {
    self.source = source
    self.offset = offset
    self.codec = codec
    self.limits = limits
  }

  mutating func next() throws(ParquetError.Problem) -> Page {
    let (header, headerSize) = try readHeader()
    guard header.storedSize <= limits.page, header.unpackedSize <= limits.page else {
      throw .unsupported(
        "a page of \(max(header.unpackedSize, header.storedSize)) bytes, of at most \(limits.page)")
    }
    let stored = try source.read(header.storedSize, at: offset + headerSize)
    offset += headerSize + header.storedSize
    if let crc = header.crc, CRC32.checksum(stored) != crc {
      throw .damaged("a page's checksum does not fit its bytes")
    }
    return Page(header: header, bytes: try unpack(stored, header))
  }

  /// Headers are small unless they hold long statistics, so a little is read at first.
  private func readHeader() throws(ParquetError.Problem) -> (PageHeader, Int) {
    var size = 512
    while true {
      guard offset >= 0, offset < source.size else { throw .damaged("a page lies beyond the end") }
      let available = min(size, source.size - offset)
      var reader = CompactReader(try source.read(available, at: offset))
      do {
        let header = try PageHeader(&reader)
        return (header, reader.position)
      } catch {
        guard error == CompactReader.endsEarly, available == size, size < 1 << 24 else {
          throw error
        }
        size *= 8
      }
    }
  }

  private func unpack(
    _ stored: [UInt8], _ header: PageHeader
  ) throws(ParquetError.Problem) -> [UInt8] {
    var levels = 0
    if case .dataV2(_, let definitions, let repetitions, let isCompressed) = header.kind {
      guard definitions >= 0, repetitions >= 0, definitions <= stored.count,
        repetitions <= stored.count - definitions
      else { throw .damaged("a page's levels are longer than the page") }
      levels = definitions + repetitions
      guard header.unpackedSize >= levels else {
        throw .damaged("a page is smaller than its levels")
      }
      if !isCompressed { return stored }
    }
    guard let codec else { return stored }
    let size = header.unpackedSize - levels
    // Parquet writers leave an empty part empty, whatever the codec.
    if size == 0 { return Array(stored[..<levels]) }
    let packed = stored[levels...]
    guard size <= Self.most(codec, packed) else {
      throw .damaged("\(packed.count) bytes of \(codec.rawValue) cannot unfold to \(size)")
    }
    do {
      let content = try codec.decompress(packed, size: size)
      return levels == 0 ? content : stored[..<levels] + content
    } catch {
      throw .damaged("a page does not unpack: \(error)")
    }
  }

  /// The most that packed bytes can unfold to, so that a false size takes no memory.
  private static func most(_ codec: BlockCodec, _ packed: ArraySlice<UInt8>) -> Int {
    switch codec {
    case .snappy: packed.count * 22 + 64  // a copy of 64 bytes takes three
    case .gzip: packed.count * 1032 + 64  // deflate: 258 bytes in two bits
    case .lz4Raw: packed.count * 255 + 64  // a further byte of length stands for 255 bytes
    case .zstd: ZstdBlocks.most(packed)
    }
  }
}

/// The block structure of zstd frames (RFC 8878 § 3.1.1), walked for a bound on their content.
enum ZstdBlocks {
  /// The most bytes of a block's content (§ 3.1.1.2.4).
  private static let block = 1 << 17

  /// An upper bound on what `frames` unfold to; zero for what is no zstd.
  static func most(_ frames: ArraySlice<UInt8>) -> Int {
    var rest = frames
    var most = 0
    while let size = skipFrame(&rest) { most += size }
    return most
  }

  private static func skipFrame(_ rest: inout ArraySlice<UInt8>) -> Int? {
    guard rest.count >= 5 else { return nil }
    let first = rest.startIndex
    let magic = (0..<4).reduce(0) { $0 | UInt32(rest[first + $1]) << (8 * UInt32($1)) }
    guard magic == 0xFD2F_B528 else { return nil }
    let descriptor = rest[first + 4]
    let isSingleSegment = descriptor & 0x20 != 0
    let dictionary = [0, 1, 2, 4][Int(descriptor & 3)]
    let sizes = [isSingleSegment ? 1 : 0, 2, 4, 8][Int(descriptor >> 6)]
    rest = rest.dropFirst(5 + (isSingleSegment ? 0 : 1) + dictionary + sizes)
    var most = 0
    while rest.count >= 3 {
      let at = rest.startIndex
      let head = Int(rest[at]) | Int(rest[at + 1]) << 8 | Int(rest[at + 2]) << 16
      let isRun = head >> 1 & 3 == 1
      let size = isRun ? 1 : head >> 3
      guard size <= rest.count - 3 else { return most }
      most += isRun || head >> 1 & 3 == 0 ? min(head >> 3, block) : block
      rest = rest.dropFirst(3 + size)
      if head & 1 == 1 {
        rest = rest.dropFirst(descriptor & 4 != 0 ? 4 : 0)
        return most
      }
    }
    return most
  }
}
