import Compression

/// Reads the rows of one column chunk: a page, its dictionary and some levels are in memory.
final class ColumnCursor {
  /// The most values that are decoded in one go, so that they stay in the cache.
  private static let stretch = 1024

  private let leaf: LeafColumn
  private let limits: ParquetLimits
  private var pages: PageReader
  /// The values, nulls and empty lists included, that no page has given yet.
  private var valuesLeft: Int
  private var pageLeft = 0
  private var dictionary: [ParquetValue]?
  private var values: PageValues
  private var definitions = Levels.none
  private var repetitions = Levels.none
  private var presence: ValueBuilder.Presence

  // Lists: what was decoded and not yet put into rows.
  private var repetitionLevels = [UInt32](repeating: 0, count: stretch)
  private var elements: [ParquetValue] = []
  private var decoded = 0
  private var nextDecoded = 0
  /// The row that goes on until the next begins.
  private var openRow: ParquetValue?
  private var openElements: [ParquetValue] = []

  private enum Levels {
    case none
    case runs(RunLengthDecoder)
    case bitPacked(BitPackedDecoder)

    mutating func read(_ count: Int, into target: inout [UInt32]) throws(ParquetError.Problem) {
      switch self {
      case .none: for index in 0..<count { target[index] = 0 }
      case .runs(var decoder):
        self = .none
        try decoder.read(count, into: &target)
        self = .runs(decoder)
      case .bitPacked(var decoder):
        decoder.read(count, into: &target)
        self = .bitPacked(decoder)
      }
    }
  }

  init(
    _ source: ParquetSource, _ chunk: ColumnChunk, _ leaf: LeafColumn, rowCount: Int,
    limits: ParquetLimits
  ) throws(ParquetError.Problem) {
    if chunk.isEncrypted { throw .encrypted("the column is encrypted, and there is no key") }
    guard chunk.hasMetadata else { throw .damaged("the column's metadata is missing") }
    if chunk.isInOtherFile { throw .unsupported("the column lies in another file") }
    guard chunk.physicalType == leaf.physicalType else {
      throw .damaged("the column's type differs from the schema's")
    }
    guard chunk.valueCount >= 0, leaf.column.isList || chunk.valueCount == rowCount else {
      throw .damaged("\(chunk.valueCount) values where the row group has \(rowCount) rows")
    }
    self.leaf = leaf
    self.limits = limits
    valuesLeft = chunk.valueCount
    pages = PageReader(
      source, at: chunk.start, codec: try Self.codec(chunk.codec), limits: limits)
    values = PageValues(leaf, limits: limits)
    presence = ValueBuilder.Presence(
      levels: [UInt32](repeating: 0, count: Self.stretch), maxDefinition: leaf.maxDefinition,
      hasNulls: false)
  }

  private static func codec(_ number: Int32) throws(ParquetError.Problem) -> BlockCodec? {
    switch number {
    case 0: return nil
    case 1: return .snappy
    case 2: return .gzip
    case 6: return .zstd
    case 7: return .lz4Raw
    case 3, 4, 5:
      let name = ["LZO", "BROTLI", "LZ4 (the deprecated Hadoop form)"][Int(number) - 3]
      throw .unsupported("the codec \(name) is not supported")
    default: throw .unsupported("the codec \(number) is not known")
    }
  }

  /// Appends the next `count` rows: of one batch, which the bounds on memory count by.
  func read(_ count: Int, into target: inout [ParquetValue]) throws(ParquetError.Problem) {
    values.unfoldedLeft = limits.unfoldedBytes
    if leaf.column.isList {
      try readLists(count, into: &target)
    } else {
      try readFlat(count, into: &target)
    }
  }

  private func readFlat(
    _ count: Int, into target: inout [ParquetValue]
  ) throws(ParquetError.Problem) {
    var left = count
    while left > 0 {
      if pageLeft == 0 { try nextPage() }
      let take = min(left, pageLeft, Self.stretch)
      let present = try readDefinitions(take)
      try values.append(
        take, present: present, presence, dictionary: dictionary, leaf: leaf, into: &target)
      pageLeft -= take
      left -= take
    }
  }

  /// Reads definition levels, and counts those of values that are there.
  private func readDefinitions(_ count: Int) throws(ParquetError.Problem) -> Int {
    guard leaf.maxDefinition > 0 else { return count }
    try definitions.read(count, into: &presence.levels)
    let read = presence.levels
    let levels = read.span
    var present = 0
    var most: UInt32 = 0
    for index in 0..<count {
      present += levels[index] == leaf.maxDefinition ? 1 : 0
      most = max(most, levels[index])
    }
    guard most <= leaf.maxDefinition else { throw .damaged("a level above the highest") }
    presence.hasNulls = present < count
    return present
  }
}

extension ColumnCursor {
  /// Goes to the next page with values, over dictionaries and pages of no concern.
  private func nextPage() throws(ParquetError.Problem) {
    while pageLeft == 0 {
      guard valuesLeft > 0 else { throw .damaged("the column has fewer rows than its row group") }
      let page = try pages.next()
      switch page.header.kind {
      case .other: continue
      case .dictionary(let encoding): try readDictionary(page, encoding)
      case .data, .dataV2:
        guard page.header.valueCount <= valuesLeft else {
          throw .damaged("the pages hold more values than the column")
        }
        try open(page)
        pageLeft = page.header.valueCount
        valuesLeft -= pageLeft
      }
    }
  }

  private func readDictionary(
    _ page: Page, _ encoding: PageEncoding?
  ) throws(ParquetError.Problem) {
    guard dictionary == nil else { throw .damaged("a second dictionary") }
    guard encoding == .plain || encoding == .plainDictionary, leaf.physicalType != .boolean else {
      throw .unsupported("a dictionary that is not PLAIN")
    }
    let count = page.header.valueCount
    let smallest =
      switch leaf.physicalType {
      case .boolean: 1
      case .int32, .float, .byteArray: 4
      case .int64, .double: 8
      case .int96: 12
      case .fixedLengthByteArray: leaf.typeLength
      }
    guard count <= page.bytes.count / smallest else { throw .valuesEndEarly }
    var reader = PageValues(leaf, limits: limits)
    try reader.open(page.bytes, at: 0, .plain, leaf)
    var entries: [ParquetValue] = []
    entries.reserveCapacity(count)
    let all = ValueBuilder.Presence(levels: [], maxDefinition: 0, hasNulls: false)
    try reader.append(count, present: count, all, dictionary: nil, leaf: leaf, into: &entries)
    dictionary = entries
  }

  /// Sets up the levels and values of a data page.
  private func open(_ page: Page) throws(ParquetError.Problem) {
    definitions = .none
    repetitions = .none
    let bytes = page.bytes
    var position = 0
    switch page.header.kind {
    case .data(let encoding, let definitionEncoding, let repetitionEncoding):
      if leaf.column.isList {
        repetitions = try levels(
          bytes, &position, repetitionEncoding, width: 1, count: page.header.valueCount)
      }
      if leaf.maxDefinition > 0 {
        definitions = try levels(
          bytes, &position, definitionEncoding, width: definitionWidth,
          count: page.header.valueCount)
      }
      try values.open(bytes, at: position, encoding, leaf)
    case .dataV2(let encoding, let definitionBytes, let repetitionBytes, _):
      let middle = repetitionBytes
      if leaf.column.isList {
        repetitions = .runs(RunLengthDecoder(bytes, 0..<middle, width: 1))
      }
      if leaf.maxDefinition > 0 {
        definitions = .runs(
          RunLengthDecoder(bytes, middle..<middle + definitionBytes, width: definitionWidth))
      }
      try values.open(bytes, at: middle + definitionBytes, encoding, leaf)
    case .dictionary, .other: preconditionFailure("only data pages are opened")
    }
  }

  private var definitionWidth: Int { leaf.maxDefinition > 1 ? 2 : 1 }  // three is the highest

  private func levels(
    _ bytes: [UInt8], _ position: inout Int, _ encoding: PageEncoding?, width: Int, count: Int
  ) throws(ParquetError.Problem) -> Levels {
    switch encoding {
    case .runLength:
      guard bytes.count - position >= 4 else { throw .valuesEndEarly }
      let size = Int(LittleEndian.load32(bytes, at: position))
      guard size <= bytes.count - position - 4 else { throw .valuesEndEarly }
      let start = position + 4
      position = start + size
      return .runs(RunLengthDecoder(bytes, start..<position, width: width))
    case .bitPacked:
      let size = (count * width + 7) / 8
      guard size <= bytes.count - position else { throw .valuesEndEarly }
      defer { position += size }
      return .bitPacked(BitPackedDecoder(bytes, at: position, width: width))
    default: throw .unsupported("levels that are neither RLE nor BIT_PACKED")
    }
  }
}

extension ColumnCursor {
  private func readLists(
    _ count: Int, into target: inout [ParquetValue]
  ) throws(ParquetError.Problem) {
    var left = count
    var elementsLeft = limits.batchElements
    while true {
      while nextDecoded < decoded {
        let index = nextDecoded
        if repetitionLevels[index] == 0 {
          if closeRow(into: &target) {
            left -= 1
            if left == 0 { return }
          }
          openRow = .list([])
        } else if openRow == nil {
          throw .damaged("a column begins within a row")
        }
        nextDecoded += 1
        let level = presence.levels[index]
        if level >= leaf.elementDefinition {
          guard elementsLeft > 0 else {
            throw .tooLarge("lists of more than \(limits.batchElements) elements in a batch")
          }
          elementsLeft -= 1
          openElements.append(elements[index])
        } else if leaf.elementDefinition == 2, level == 0 {
          openRow = .null
        }
      }
      if pageLeft == 0 && valuesLeft == 0 {
        guard closeRow(into: &target), left == 1 else {
          throw .damaged("the column has fewer rows than its row group")
        }
        return
      }
      try decodeStretch()
    }
  }

  /// Ends the row that is open, if one is.
  private func closeRow(into target: inout [ParquetValue]) -> Bool {
    guard let row = openRow else { return false }
    openRow = nil
    if case .null = row, openElements.isEmpty {
      target.append(.null)
    } else {
      target.append(.list(openElements))
      openElements = []
    }
    return true
  }

  private func decodeStretch() throws(ParquetError.Problem) {
    if pageLeft == 0 { try nextPage() }
    let take = min(pageLeft, Self.stretch)
    try repetitions.read(take, into: &repetitionLevels)
    for index in 0..<take where repetitionLevels[index] > 1 {
      throw .damaged("a level above the highest")
    }
    let present = try readDefinitions(take)
    elements.removeAll(keepingCapacity: true)
    try values.append(
      take, present: present, presence, dictionary: dictionary, leaf: leaf, into: &elements)
    pageLeft -= take
    decoded = take
    nextDecoded = 0
  }
}
