import Compression

/// Writes the page index and the footer (parquet.thrift).
enum FooterWriter {
  /// In the form that readers know: application, version, build.
  private static let createdBy = "pairloom version 1.0.0 (build parquet)"

  static func footer(
    _ buffers: [LeafBuffer], _ groups: [(rowCount: Int, chunks: [WrittenChunk])],
    codec: BlockCodec?, metadata: [(String, String)]
  ) -> [UInt8] {
    var writer = CompactWriter()
    writer.element { footer in
      footer.int32(1, 2)
      footer.list(2, schema(buffers)) { element, write in write(&element) }
      footer.int64(3, groups.reduce(0) { $0 + $1.rowCount })
      footer.list(4, Array(groups.enumerated())) { element, group in
        rowGroup(&element, buffers, group.element, number: group.offset, codec: codec)
      }
      if !metadata.isEmpty {
        footer.list(5, metadata) {
          $0.text(1, $1.0)
          $0.text(2, $1.1)
        }
      }
      footer.text(6, createdBy)
      // Every column in the order that its type defines.
      footer.list(7, buffers) { element, _ in element.structure(1) }
    }
    return writer.bytes
  }

  private typealias ElementWriter = (inout CompactWriter) -> Void

  private static func schema(_ buffers: [LeafBuffer]) -> [ElementWriter] {
    var elements: [ElementWriter] = [
      {
        $0.text(4, "schema")
        $0.int32(5, buffers.count)
      }
    ]
    for buffer in buffers {
      let column = buffer.column
      let repetition = column.isOptional ? Repetition.optional : .required
      guard column.isList else {
        elements.append { leaf(&$0, buffer, column.name, repetition) }
        continue
      }
      // The three levels of LogicalTypes.md § Lists.
      elements.append {
        $0.int32(3, Int(repetition.rawValue))
        $0.text(4, column.name)
        $0.int32(5, 1)
        $0.int32(6, 3)
        $0.structure(10) { $0.structure(3) }
      }
      elements.append {
        $0.int32(3, Int(Repetition.repeated.rawValue))
        $0.text(4, "list")
        $0.int32(5, 1)
      }
      elements.append { leaf(&$0, buffer, "element", .optional) }
    }
    return elements
  }

  private static func leaf(
    _ element: inout CompactWriter, _ buffer: LeafBuffer, _ name: String, _ repetition: Repetition
  ) {
    element.int32(1, Int(buffer.physicalType.rawValue))
    if buffer.typeLength > 0 { element.int32(2, buffer.typeLength) }
    element.int32(3, Int(repetition.rawValue))
    element.text(4, name)
    let (converted, logical) = annotation(buffer.column.type)
    if let converted { element.int32(6, converted) }
    if let logical { element.structure(10, logical) }
  }

  /// The older and the newer annotation of a type.
  private static func annotation(_ type: ParquetType) -> (Int?, ElementWriter?) {
    func integer(_ bits: Int8, _ isSigned: Bool) -> ElementWriter {
      {
        $0.structure(10) {
          $0.int8(1, bits)
          $0.bool(2, isSigned)
        }
      }
    }
    switch type {
    case .string: return (0, { $0.structure(1) })
    case .enum: return (4, { $0.structure(4) })
    case .json: return (19, { $0.structure(12) })
    case .uuid: return (nil, { $0.structure(14) })
    case .date: return (6, { $0.structure(6) })
    case .uint8: return (11, integer(8, false))
    case .uint16: return (12, integer(16, false))
    case .uint32: return (13, integer(32, false))
    case .uint64: return (14, integer(64, false))
    case .int8: return (15, integer(8, true))
    case .int16: return (16, integer(16, true))
    case .time(let unit):
      return (unit == .nanos ? nil : unit == .millis ? 7 : 8, time(7, unit, isUTC: true))
    case .timestamp(let unit, let isUTC):
      let converted = unit == .nanos || !isUTC ? nil : unit == .millis ? 9 : 10
      return (converted, time(8, unit, isUTC: isUTC))
    default: return (nil, nil)
    }
  }

  private static func time(_ field: Int, _ unit: ParquetTimeUnit, isUTC: Bool) -> ElementWriter {
    {
      $0.structure(field) {
        $0.bool(1, isUTC)
        $0.structure(2) { $0.structure(unit == .millis ? 1 : unit == .micros ? 2 : 3) }
      }
    }
  }

  private static func rowGroup(
    _ element: inout CompactWriter, _ buffers: [LeafBuffer],
    _ group: (rowCount: Int, chunks: [WrittenChunk]), number: Int, codec: BlockCodec?
  ) {
    element.list(1, Array(zip(buffers, group.chunks))) { element, pair in
      let (buffer, chunk) = pair
      element.int64(2, 0)  // deprecated: nothing reads it
      element.structure(3) { columnMetadata(&$0, buffer, chunk, codec: codec) }
      if let index = chunk.offsetIndex {
        element.int64(4, index.offset)
        element.int32(5, index.size)
      }
      if let index = chunk.columnIndex {
        element.int64(6, index.offset)
        element.int32(7, index.size)
      }
    }
    element.int64(2, group.chunks.reduce(0) { $0 + $1.unpackedSize })
    element.int64(3, group.rowCount)
    element.int64(5, group.chunks.first?.start ?? 0)
    element.int64(6, group.chunks.reduce(0) { $0 + $1.storedSize })
    if let number = Int16(exactly: number) { element.int16(7, Int(number)) }
  }

  private static func columnMetadata(
    _ element: inout CompactWriter, _ buffer: LeafBuffer, _ chunk: WrittenChunk,
    codec: BlockCodec?
  ) {
    let encodings = ColumnWriter.encodings(chunk)
    let path = buffer.column.isList ? ["list", "element"] : []
    element.int32(1, Int(buffer.physicalType.rawValue))
    element.list32(2, encodings.map { Int($0.rawValue) })
    element.listBinary(3, ([buffer.column.name] + path).map { Array($0.utf8) })
    element.int32(4, number(codec))
    element.int64(5, chunk.levelCount)
    element.int64(6, chunk.unpackedSize)
    element.int64(7, chunk.storedSize)
    element.int64(9, chunk.pages.first?.offset ?? 0)
    if let offset = chunk.dictionaryOffset { element.int64(11, offset) }
    element.structure(12) { statistics(&$0, chunk) }
    var counts = [(page: 0, encoding: encodings[encodings.count == 3 ? 2 : 0], chunk.pages.count)]
    if chunk.dictionaryOffset != nil { counts.insert((page: 2, encoding: .plain, 1), at: 0) }
    element.list(13, counts) {
      $0.int32(1, $1.page)
      $0.int32(2, Int($1.encoding.rawValue))
      $0.int32(3, $1.2)
    }
  }

  private static func number(_ codec: BlockCodec?) -> Int {
    switch codec {
    case nil: 0
    case .snappy: 1
    case .gzip: 2
    case .zstd: 6
    case .lz4Raw: 7
    }
  }

  private static func statistics(_ element: inout CompactWriter, _ chunk: WrittenChunk) {
    element.int64(3, chunk.nullCount)
    // Exact or left out: readers older than the flags of exactness take a bound for a value.
    guard let bounds = chunk.bounds, bounds.least.count <= ValueBounds.longest,
      bounds.greatest.count <= ValueBounds.longest
    else { return }
    element.binary(5, bounds.greatest)
    element.binary(6, bounds.least)
    element.bool(7, true)
    element.bool(8, true)
  }

  /// The bounds and null counts of a chunk's pages.
  static func columnIndex(_ buffer: LeafBuffer, _ chunk: WrittenChunk) -> [UInt8] {
    let bounds = chunk.pages.map { $0.bounds?.truncated(buffer.column.type) }
    let known = bounds.compactMap { $0 }
    let pairs = Array(zip(known, known.dropFirst()))
    let order =
      pairs.allSatisfy { $1.follows($0) } ? 1 : pairs.allSatisfy { $0.follows($1) } ? 2 : 0
    var writer = CompactWriter()
    writer.element {
      $0.listBool(1, chunk.pages.map { !$0.hasValues })
      $0.listBinary(2, bounds.map { $0?.least ?? [] })
      $0.listBinary(3, bounds.map { $0?.greatest ?? [] })
      $0.int32(4, order)
      $0.list64(5, chunk.pages.map(\.nullCount))
    }
    return writer.bytes
  }

  /// Where a chunk's pages lie.
  static func offsetIndex(_ chunk: WrittenChunk) -> [UInt8] {
    var writer = CompactWriter()
    writer.element {
      $0.list(1, chunk.pages) {
        $0.int64(1, $1.offset)
        $0.int32(2, $1.size)
        $0.int64(3, $1.firstRow)
      }
    }
    return writer.bytes
  }
}
