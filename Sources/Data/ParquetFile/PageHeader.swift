/// What stands before each page.
struct PageHeader {
  enum Kind {
    /// Levels and values compressed together, each kind of levels with its encoding.
    case data(PageEncoding?, definitions: PageEncoding?, repetitions: PageEncoding?)
    /// Levels outside of the compressed part, with their lengths.
    case dataV2(PageEncoding?, definitionBytes: Int, repetitionBytes: Int, isCompressed: Bool)
    case dictionary(PageEncoding?)
    /// An index page, or a kind that is yet to be invented.
    case other
  }

  var kind = Kind.other
  var valueCount = 0
  /// The bytes of the page as stored, this header aside.
  var storedSize = -1
  var unpackedSize = -1
  var crc: UInt32?

  init(_ reader: inout CompactReader) throws(ParquetError.Problem) {
    var type: Int32 = -1
    var number = 0
    while let field = try reader.field(after: &number) {
      switch (number, field) {
      case (1, .int32): type = try reader.int32()
      case (2, .int32): unpackedSize = Int(try reader.int32())
      case (3, .int32): storedSize = Int(try reader.int32())
      case (4, .int32): crc = UInt32(bitPattern: try reader.int32())
      case (5, .structure) where type == 0: try readData(&reader)
      case (7, .structure) where type == 2: try readDictionary(&reader)
      case (8, .structure) where type == 3: try readDataV2(&reader)
      default: try reader.skip(field)
      }
    }
    guard storedSize >= 0, unpackedSize >= 0, valueCount >= 0 else {
      throw .damaged("a page without a size")
    }
    if case .other = kind, [0, 2, 3].contains(type) { throw .damaged("a page without its header") }
  }

  private mutating func readData(_ reader: inout CompactReader) throws(ParquetError.Problem) {
    var encodings: [PageEncoding?] = [nil, nil, nil]
    var number = 0
    while let field = try reader.field(after: &number) {
      switch (number, field) {
      case (1, .int32): valueCount = Int(try reader.int32())
      case (2...4, .int32): encodings[number - 2] = PageEncoding(rawValue: try reader.int32())
      default: try reader.skip(field)
      }
    }
    kind = .data(encodings[0], definitions: encodings[1], repetitions: encodings[2])
  }

  private mutating func readDictionary(_ reader: inout CompactReader) throws(ParquetError.Problem) {
    var encoding: PageEncoding?
    var number = 0
    while let field = try reader.field(after: &number) {
      switch (number, field) {
      case (1, .int32): valueCount = Int(try reader.int32())
      case (2, .int32): encoding = PageEncoding(rawValue: try reader.int32())
      default: try reader.skip(field)
      }
    }
    kind = .dictionary(encoding)
  }

  private mutating func readDataV2(_ reader: inout CompactReader) throws(ParquetError.Problem) {
    var encoding: PageEncoding?
    var definitionBytes = 0
    var repetitionBytes = 0
    var isCompressed = true
    var number = 0
    while let field = try reader.field(after: &number) {
      switch (number, field) {
      case (1, .int32): valueCount = Int(try reader.int32())
      case (4, .int32): encoding = PageEncoding(rawValue: try reader.int32())
      case (5, .int32): definitionBytes = Int(try reader.int32())
      case (6, .int32): repetitionBytes = Int(try reader.int32())
      case (7, .no): isCompressed = false
      default: try reader.skip(field)
      }
    }
    kind = .dataV2(
      encoding, definitionBytes: definitionBytes, repetitionBytes: repetitionBytes,
      isCompressed: isCompressed)
  }
}
