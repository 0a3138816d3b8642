import Compression

/// What was written of a column in a row group, for the footer and the page index.
struct WrittenChunk {
  struct Page {
    var offset: Int
    /// The bytes of the page, its header included.
    var size: Int
    var firstRow: Int
    var nullCount: Int
    /// Nil where every value is null, or NaN.
    var bounds: ValueBounds?
    var hasValues: Bool
  }

  var pages: [Page] = []
  var dictionaryOffset: Int?
  var levelCount = 0
  var storedSize = 0
  var unpackedSize = 0
  var nullCount = 0
  var bounds: ValueBounds?
  /// A column of floats that has NaN alone in a page has no page index: there is no bound to state.
  var hasColumnIndex = true
  var columnIndex: (offset: Int, size: Int)?
  var offsetIndex: (offset: Int, size: Int)?

  var start: Int { dictionaryOffset ?? pages.first?.offset ?? 0 }
}

/// Encodes the pages of a column chunk: first version, RLE levels, a dictionary where it pays.
struct ColumnWriter {
  /// A page ends at so many rows or bytes of PLAIN values, whichever comes first.
  private static let pageRows = 20_000
  private static let pageBytes = 1 << 20

  private let buffer: LeafBuffer
  private let codec: BlockCodec?
  private let distinct: DistinctValues?
  private var chunk = WrittenChunk()
  private var output: [UInt8] = []
  private let start: Int

  /// A writer of a chunk that will begin at `start` in the file.
  private init(_ buffer: LeafBuffer, codec: BlockCodec?, at start: Int) {
    self.buffer = buffer
    self.codec = codec
    self.start = start
    distinct = DistinctValues(buffer)
  }

  /// The bytes of the column chunk, and where its pages lie.
  static func encode(
    _ buffer: LeafBuffer, codec: BlockCodec?, at start: Int
  ) -> (bytes: [UInt8], chunk: WrittenChunk) {
    var writer = ColumnWriter(buffer, codec: codec, at: start)
    writer.encode()
    return (writer.output, writer.chunk)
  }

  private mutating func encode() {
    chunk.levelCount = buffer.levelCount
    if let distinct {
      chunk.dictionaryOffset = start
      var body: [UInt8] = []
      for first in distinct.firsts { appendPlain(first..<first + 1, to: &body) }
      _ = append(body) { header in
        header.structure(7) {
          $0.int32(1, distinct.firsts.count)
          $0.int32(2, Int(PageEncoding.plain.rawValue))
        }
      }
    }
    var level = 0
    var value = 0
    var row = 0
    while level < buffer.levelCount {
      let page = nextPage(level, value)
      encodePage(level..<page.level, value..<page.value, firstRow: row)
      (level, value, row) = (page.level, page.value, row + page.rows)
    }
    chunk.storedSize = output.count
    if chunk.pages.contains(where: { $0.hasValues && $0.bounds == nil }) {
      chunk.hasColumnIndex = false
    }
  }

  /// Where the page that begins with this level and value ends: always between rows.
  private func nextPage(_ level: Int, _ value: Int) -> (level: Int, value: Int, rows: Int) {
    let perValue = buffer.isBytes ? 4 : 8
    var (level, value, rows, bytes) = (level, value, 0, 0)
    let full = buffer.maxDefinition
    while level < buffer.levelCount {
      if buffer.repetitions.isEmpty || buffer.repetitions[level] == 0 {
        let isFull = distinct == nil && bytes >= Self.pageBytes
        if rows == Self.pageRows || isFull { break }
        rows += 1
      }
      if full == 0 || buffer.definitions[level] == full {
        bytes += perValue + (buffer.isBytes ? buffer.strings.range(value).count : 0)
        value += 1
      }
      level += 1
    }
    return (level, value, rows)
  }

  private mutating func encodePage(_ levels: Range<Int>, _ values: Range<Int>, firstRow: Int) {
    var body: [UInt8] = []
    if buffer.column.isList { appendLevels(buffer.repetitions, levels, width: 1, to: &body) }
    if buffer.maxDefinition > 0 {
      appendLevels(
        buffer.definitions, levels, width: buffer.maxDefinition > 1 ? 2 : 1, to: &body)
    }
    if let distinct {
      body.append(UInt8(distinct.width))
      RunLengthEncoder.append(distinct.indices, values, width: distinct.width, to: &body)
    } else {
      appendPlain(values, to: &body)
    }
    let encoding = distinct == nil ? PageEncoding.plain : .dictionary
    let offset = start + output.count
    let size = append(body) { header in
      header.structure(5) {
        $0.int32(1, levels.count)
        $0.int32(2, Int(encoding.rawValue))
        $0.int32(3, Int(PageEncoding.runLength.rawValue))
        $0.int32(4, Int(PageEncoding.runLength.rawValue))
      }
    }
    let bounds = ValueBounds(buffer, values)
    chunk.pages.append(
      WrittenChunk.Page(
        offset: offset, size: size, firstRow: firstRow, nullCount: levels.count - values.count,
        bounds: bounds, hasValues: !values.isEmpty))
    chunk.nullCount += levels.count - values.count
    if let bounds {
      chunk.bounds?.formUnion(bounds)
      if chunk.bounds == nil { chunk.bounds = bounds }
    }
  }

  private func appendLevels(
    _ levels: [UInt32], _ range: Range<Int>, width: Int, to body: inout [UInt8]
  ) {
    let start = body.count
    body += [0, 0, 0, 0]
    RunLengthEncoder.append(levels, range, width: width, to: &body)
    let size = UInt32(body.count - start - 4)
    for place in 0..<4 {
      body[start + place] = UInt8(truncatingIfNeeded: size >> (8 * UInt32(place)))
    }
  }

  private func appendPlain(_ values: Range<Int>, to body: inout [UInt8]) {
    switch buffer.physicalType {
    case .boolean:
      for first in stride(from: values.lowerBound, to: values.upperBound, by: 8) {
        var byte: UInt8 = 0
        for index in first..<min(first + 8, values.upperBound) where buffer.words[index] != 0 {
          byte |= 1 << UInt8(index - first)
        }
        body.append(byte)
      }
    case .int32, .float:
      for index in values {
        LittleEndian.append32(UInt32(truncatingIfNeeded: buffer.words[index]), to: &body)
      }
    case .int64, .double, .int96:
      for index in values {
        LittleEndian.append64(buffer.words[index], to: &body)
      }
    case .byteArray:
      for index in values {
        let range = buffer.strings.range(index)
        LittleEndian.append32(UInt32(range.count), to: &body)
        body.append(contentsOf: buffer.strings.bytes[range])
      }
    case .fixedLengthByteArray:
      guard !values.isEmpty else { return }
      let first = buffer.strings.range(values.lowerBound).lowerBound
      let end = buffer.strings.range(values.upperBound - 1).upperBound
      body.append(contentsOf: buffer.strings.bytes[first..<end])
    }
  }

  /// Appends a page and gives its size, header included; `kind` writes the header of its kind.
  private mutating func append(
    _ body: [UInt8], _ kind: (inout CompactWriter) -> Void
  ) -> Int {
    let stored = codec.map { $0.compress(body) } ?? body
    var header = CompactWriter()
    header.element {
      let isDictionary = distinct != nil && output.isEmpty
      $0.int32(1, isDictionary ? 2 : 0)
      $0.int32(2, body.count)
      $0.int32(3, stored.count)
      $0.int32(4, Int(Int32(bitPattern: CRC32.checksum(stored))))
      kind(&$0)
    }
    output += header.bytes
    output += stored
    chunk.unpackedSize += header.bytes.count + body.count
    return header.bytes.count + stored.count
  }

  /// The encodings that the chunk's metadata names.
  static func encodings(_ chunk: WrittenChunk) -> [PageEncoding] {
    chunk.dictionaryOffset == nil ? [.plain, .runLength] : [.plain, .runLength, .dictionary]
  }
}
