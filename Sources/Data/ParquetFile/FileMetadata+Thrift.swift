extension FileMetadata {
  /// Parses the footer's Thrift structure.
  init(_ bytes: [UInt8]) throws(ParquetError.Problem) {
    var reader = CompactReader(bytes)
    var number = 0
    while let kind = try reader.field(after: &number) {
      switch (number, kind) {
      case (2, .list):
        for _ in 0..<(try reader.list().count) { schema.append(try SchemaElement(&reader)) }
      case (3, .int64): rowCount = try reader.int()
      case (4, .list):
        for _ in 0..<(try reader.list().count) { rowGroups.append(try RowGroup(&reader)) }
      case (5, .list):
        for _ in 0..<(try reader.list().count) { keyValues.append(try Self.keyValue(&reader)) }
      case (6, .binary): createdBy = try reader.text()
      case (8, .structure):
        isEncrypted = true
        try reader.skip(kind)
      default: try reader.skip(kind)
      }
    }
  }

  private static func keyValue(
    _ reader: inout CompactReader
  ) throws(ParquetError.Problem) -> (key: String, value: String) {
    var pair = (key: "", value: "")
    var number = 0
    while let kind = try reader.field(after: &number) {
      switch (number, kind) {
      case (1, .binary): pair.key = try reader.text()
      case (2, .binary): pair.value = try reader.text()
      default: try reader.skip(kind)
      }
    }
    return pair
  }
}

extension SchemaElement {
  fileprivate init(_ reader: inout CompactReader) throws(ParquetError.Problem) {
    var converted: Int32?
    var scale = 0
    var precision = 0
    var number = 0
    while let kind = try reader.field(after: &number) {
      switch (number, kind) {
      case (1, .int32):
        let value = try reader.int32()
        guard let type = PhysicalType(rawValue: value) else {
          throw .unsupported("the physical type \(value)")
        }
        physicalType = type
      case (2, .int32): typeLength = Int(try reader.int32())
      case (3, .int32):
        guard let value = Repetition(rawValue: try reader.int32()) else {
          throw .damaged("a column is neither required, optional nor repeated")
        }
        repetition = value
      case (4, .binary): name = try reader.text()
      case (5, .int32): childCount = Int(try reader.int32())
      case (6, .int32): converted = try reader.int32()
      case (7, .int32): scale = Int(try reader.int32())
      case (8, .int32): precision = Int(try reader.int32())
      case (10, .structure): annotation = try Annotation(&reader)
      default: try reader.skip(kind)
      }
    }
    if annotation == nil, let converted {
      annotation = Annotation(converted: converted, precision: precision, scale: scale)
    }
  }
}

extension Annotation {
  fileprivate init(converted: Int32, precision: Int, scale: Int) {
    switch converted {
    case 0: self = .string
    case 1, 2: self = .map
    case 3: self = .list
    case 4: self = .enum
    case 5: self = .decimal(precision: precision, scale: scale)
    case 6: self = .date
    case 7: self = .time(.millis)
    case 8: self = .time(.micros)
    case 9: self = .timestamp(.millis, isUTC: true)
    case 10: self = .timestamp(.micros, isUTC: true)
    case 11...14: self = .integer(bits: 8 << (Int(converted) - 11), isSigned: false)
    case 15...18: self = .integer(bits: 8 << (Int(converted) - 15), isSigned: true)
    case 19: self = .json
    case 20: self = .bson
    case 21: self = .interval
    default: self = .other(Int(converted))
    }
  }

  /// The union `LogicalType`.
  fileprivate init(_ reader: inout CompactReader) throws(ParquetError.Problem) {
    self = .other(0)
    var number = 0
    while let kind = try reader.field(after: &number) {
      guard kind == .structure else {
        try reader.skip(kind)
        continue
      }
      switch number {
      case 5:
        let fields = try Self.fields(&reader)
        self = .decimal(precision: fields[2] ?? 0, scale: fields[1] ?? 0)
        continue
      case 7:
        self = .time(try Self.time(&reader).unit)
        continue
      case 8:
        let (unit, isUTC) = try Self.time(&reader)
        self = .timestamp(unit, isUTC: isUTC)
        continue
      case 10:
        let fields = try Self.fields(&reader)
        self = .integer(bits: fields[1] ?? 0, isSigned: fields[2] == 1)
        continue
      case 1: self = .string
      case 2: self = .map
      case 3: self = .list
      case 4: self = .enum
      case 6: self = .date
      case 12: self = .json
      case 13: self = .bson
      case 14: self = .uuid
      case 15: self = .float16
      default: self = .other(number)
      }
      try reader.skip(kind)
    }
  }

  /// The integers and booleans of a structure, by number.
  private static func fields(
    _ reader: inout CompactReader
  ) throws(ParquetError.Problem) -> [Int: Int] {
    var fields: [Int: Int] = [:]
    var number = 0
    while let kind = try reader.field(after: &number) {
      switch kind {
      case .yes: fields[number] = 1
      case .no: fields[number] = 0
      case .int8: fields[number] = Int(try reader.int8())
      case .int16, .int32, .int64: fields[number] = try reader.int()
      default: try reader.skip(kind)
      }
    }
    return fields
  }

  private static func time(
    _ reader: inout CompactReader
  ) throws(ParquetError.Problem) -> (unit: ParquetTimeUnit, isUTC: Bool) {
    var isUTC = false
    var unit: ParquetTimeUnit?
    var number = 0
    while let kind = try reader.field(after: &number) {
      if number == 1 { isUTC = kind == .yes }
      guard number == 2, kind == .structure else {
        try reader.skip(kind)
        continue
      }
      var choice = 0
      while let kind = try reader.field(after: &choice) {
        try reader.skip(kind)
        unit =
          switch choice {
          case 1: .millis
          case 2: .micros
          case 3: .nanos
          default: unit
          }
      }
    }
    guard let unit else { throw .damaged("a time without a unit") }
    return (unit, isUTC)
  }
}

extension RowGroup {
  fileprivate init(_ reader: inout CompactReader) throws(ParquetError.Problem) {
    var number = 0
    while let kind = try reader.field(after: &number) {
      switch (number, kind) {
      case (1, .list):
        for _ in 0..<(try reader.list().count) { columns.append(try ColumnChunk(&reader)) }
      case (3, .int64): rowCount = try reader.int()
      default: try reader.skip(kind)
      }
    }
  }
}

extension ColumnChunk {
  fileprivate init(_ reader: inout CompactReader) throws(ParquetError.Problem) {
    var number = 0
    while let kind = try reader.field(after: &number) {
      switch (number, kind) {
      case (1, .binary): isInOtherFile = !(try reader.binary()).isEmpty
      case (3, .structure): try readMetadata(&reader)
      case (8, .structure):
        isEncrypted = true
        try reader.skip(kind)
      default: try reader.skip(kind)
      }
    }
  }

  /// The structure `ColumnMetaData`.
  private mutating func readMetadata(_ reader: inout CompactReader) throws(ParquetError.Problem) {
    hasMetadata = true
    var number = 0
    while let kind = try reader.field(after: &number) {
      switch (number, kind) {
      case (1, .int32): physicalType = PhysicalType(rawValue: try reader.int32())
      case (4, .int32): codec = try reader.int32()
      case (5, .int64): valueCount = try reader.int()
      case (9, .int64): dataPageOffset = try reader.int()
      case (11, .int64): dictionaryPageOffset = try reader.int()
      default: try reader.skip(kind)
      }
    }
  }
}
