/// The values of a column that wait for their row group to be full, as they will be stored.
struct LeafBuffer {
  let column: ParquetColumn
  let physicalType: PhysicalType
  private(set) var rowCount = 0
  /// One of each per value, null or empty list; empty where the highest level is 0.
  private(set) var definitions: [UInt32] = []
  private(set) var repetitions: [UInt32] = []
  /// The values that are not null: numbers as 64 bits, the others as bytes.
  private(set) var words: [UInt64] = []
  private(set) var strings = ByteStrings()

  /// - Throws: `unsupported` for a type that is not written.
  init(_ column: ParquetColumn) throws(ParquetError.Problem) {
    self.column = column
    physicalType =
      switch column.type {
      case .bool: .boolean
      case .int8, .int16, .int32, .uint8, .uint16, .uint32, .date, .time(.millis): .int32
      case .int64, .uint64, .timestamp, .time: .int64
      case .float: .float
      case .double: .double
      case .string, .json, .enum, .bytes: .byteArray
      case .fixedBytes(1...(1 << 20)), .uuid: .fixedLengthByteArray
      default: throw .unsupported("a column of type \(column.type) is not written")
      }
  }

  var isBytes: Bool { physicalType == .byteArray || physicalType == .fixedLengthByteArray }
  var valueCount: Int { isBytes ? strings.count : words.count }
  /// Values, nulls and empty lists.
  var levelCount: Int { maxDefinition > 0 ? definitions.count : valueCount }
  var maxDefinition: UInt32 { (column.isOptional ? 1 : 0) + (column.isList ? 2 : 0) }

  var typeLength: Int {
    switch column.type {
    case .fixedBytes(let count): count
    case .uuid: 16
    default: 0
    }
  }

  /// The bytes of values `range` in the encoding PLAIN.
  func plainSize(_ range: Range<Int>) -> Int {
    switch physicalType {
    case .boolean: (range.count + 7) / 8
    case .int32, .float: range.count * 4
    case .int64, .double, .int96: range.count * 8
    case .byteArray: range.count * 4 + strings.byteCount(range)
    case .fixedLengthByteArray: range.count * typeLength
    }
  }

  mutating func removeAll() {
    rowCount = 0
    definitions.removeAll(keepingCapacity: true)
    repetitions.removeAll(keepingCapacity: true)
    words.removeAll(keepingCapacity: true)
    strings.removeAll()
  }

  /// Appends a row.
  ///
  /// - Throws: `wrongValue`.
  mutating func append(_ value: ParquetValue) throws(ParquetError.Problem) {
    rowCount += 1
    guard column.isList else {
      if case .null = value {
        guard column.isOptional else { throw .wrongValue("null, which the column does not allow") }
        definitions.append(0)
        return
      }
      if column.isOptional { definitions.append(1) }
      return try appendLeaf(value)
    }
    let base: UInt32 = column.isOptional ? 1 : 0
    switch value {
    case .null where column.isOptional: appendLevels(0, 0)
    case .list(let elements):
      if elements.isEmpty { appendLevels(base, 0) }
      for (index, element) in elements.enumerated() {
        if case .null = element {
          appendLevels(base + 1, index == 0 ? 0 : 1)
        } else {
          appendLevels(base + 2, index == 0 ? 0 : 1)
          try appendLeaf(element)
        }
      }
    default: throw .wrongValue("\(value) in a column of lists")
    }
  }

  private mutating func appendLevels(_ definition: UInt32, _ repetition: UInt32) {
    definitions.append(definition)
    repetitions.append(repetition)
  }

  private mutating func appendLeaf(_ value: ParquetValue) throws(ParquetError.Problem) {
    switch (value, column.type) {
    case (.text(let text), .string), (.text(let text), .json), (.text(let text), .enum):
      strings.append(text.utf8)
    case (.int(let int), _):
      guard let word = word(int) else { throw misfit(value) }
      words.append(word)
    case (.double(let double), .double): words.append(double.bitPattern)
    case (.float(let float), .double): words.append(Double(float).bitPattern)
    case (.float(let float), .float): words.append(UInt64(float.bitPattern))
    case (.bool(let bool), .bool): words.append(bool ? 1 : 0)
    case (.bytes(let bytes), .bytes): strings.append(bytes)
    case (.bytes(let bytes), .fixedBytes(let count)) where bytes.count == count:
      strings.append(bytes)
    case (.bytes(let bytes), .uuid) where bytes.count == 16: strings.append(bytes)
    case (.text(let text), .uuid):
      guard let bytes = Self.uuid(text) else { throw misfit(value) }
      strings.append(bytes)
    case (.text(let text), .uint64):
      guard let word = UInt64(text) else { throw misfit(value) }
      words.append(word)
    default: throw misfit(value)
    }
  }

  private func misfit(_ value: ParquetValue) -> ParquetError.Problem {
    .wrongValue(
      "\(String(String(describing: value).prefix(80))) in a column of type \(column.type)")
  }

  /// The 64 bits of an integer; nil where the column's type cannot hold it.
  private func word(_ int: Int64) -> UInt64? {
    let fits =
      switch column.type {
      case .int8: Int8(exactly: int) != nil
      case .int16: Int16(exactly: int) != nil
      case .int32, .date, .time(.millis): Int32(exactly: int) != nil
      case .uint8: UInt8(exactly: int) != nil
      case .uint16: UInt16(exactly: int) != nil
      case .uint32: UInt32(exactly: int) != nil
      case .uint64: int >= 0
      case .int64, .timestamp, .time: true
      default: false
      }
    return fits ? UInt64(bitPattern: int) : nil
  }

  private static func uuid(_ text: String) -> [UInt8]? {
    let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }
    guard digits.count == 32 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: 32, by: 2) {
      guard
        let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
