/// A column that can be read: its leaf of the schema, and what its levels mean.
struct LeafColumn: Sendable {
  var column: ParquetColumn
  var physicalType: PhysicalType
  /// The bytes of a FIXED_LEN_BYTE_ARRAY.
  var typeLength: Int
  /// Its place among all leaves, and so among a row group's column chunks.
  var index: Int
  /// The definition level of a value that is there.
  var maxDefinition: UInt32
  /// The definition level from which a list has an element; below it, it is empty or null.
  var elementDefinition: UInt32
}

/// The columns of a schema: those that can be read, and why the others cannot.
struct SchemaColumns {
  private(set) var leaves: [LeafColumn] = []
  private(set) var unsupported: [(name: String, why: String)] = []
  private(set) var leafCount = 0

  private let schema: [SchemaElement]
  private var next = 1  // the root aside
  private static let deepest = 64

  init(_ schema: [SchemaElement]) throws(ParquetError.Problem) {
    self.schema = schema
    guard let root = schema.first else { throw .damaged("the schema is empty") }
    guard root.childCount >= 0, root.childCount < schema.count else {
      throw .damaged("the schema promises \(root.childCount) columns")
    }
    for _ in 0..<root.childCount { try readColumn() }
    guard next == schema.count else { throw .damaged("the schema has elements beyond its tree") }
  }

  private mutating func take() throws(ParquetError.Problem) -> SchemaElement {
    guard next < schema.count else { throw .damaged("the schema's tree is incomplete") }
    defer { next += 1 }
    return schema[next]
  }

  private mutating func readColumn() throws(ParquetError.Problem) {
    let first = next
    let firstLeaf = leafCount
    let top = try take()
    try passChildren(of: top, depth: 0)
    do {
      if top.physicalType != nil {
        let isList = top.repetition == .repeated
        let level: UInt32 = top.repetition == .required ? 0 : 1
        leaves.append(
          try leaf(
            top, name: top.name, index: firstLeaf, isOptional: top.repetition == .optional,
            isList: isList, maxDefinition: level, elementDefinition: level))
      } else {
        leaves.append(try list(at: first, index: firstLeaf))
      }
    } catch {
      guard case .unsupported(let why) = error else { throw error }
      unsupported.append((top.name, why))
    }
  }

  /// Moves past what is below an element, and counts its leaves.
  private mutating func passChildren(
    of element: SchemaElement, depth: Int
  ) throws(ParquetError.Problem) {
    guard depth < Self.deepest else { throw .damaged("the schema nests too deeply") }
    if element.physicalType != nil {
      guard element.childCount == 0 else { throw .damaged("a typed column has children") }
      leafCount += 1
      return
    }
    guard element.childCount >= 0, element.childCount <= schema.count - next else {
      throw .damaged("the group \(element.name) promises \(element.childCount) children")
    }
    for _ in 0..<element.childCount { try passChildren(of: try take(), depth: depth + 1) }
  }

  /// A list of primitives by the rules of LogicalTypes.md § Lists, backward compatibility included.
  private func list(at first: Int, index: Int) throws(ParquetError.Problem) -> LeafColumn {
    let group = schema[first]
    if group.annotation == .map { throw .unsupported("maps are not read") }
    guard group.annotation == .list, group.childCount == 1, group.repetition != .repeated,
      schema[first + 1].repetition == .repeated
    else { throw .unsupported("structs are not read") }
    let repeated = schema[first + 1]
    let level: UInt32 = (group.repetition == .optional ? 1 : 0) + 1
    if repeated.physicalType != nil {
      return try leaf(
        repeated, name: group.name, index: index, isOptional: group.repetition == .optional,
        isList: true, maxDefinition: level, elementDefinition: level)
    }
    guard repeated.childCount == 1, repeated.name != "array",
      repeated.name != group.name + "_tuple", schema[first + 2].physicalType != nil
    else { throw .unsupported("lists of structs or of lists are not read") }
    let element = schema[first + 2]
    guard element.repetition != .repeated else { throw .unsupported("lists of lists are not read") }
    return try leaf(
      element, name: group.name, index: index, isOptional: group.repetition == .optional,
      isList: true, maxDefinition: level + (element.repetition == .optional ? 1 : 0),
      elementDefinition: level)
  }

  private func leaf(
    _ element: SchemaElement, name: String, index: Int, isOptional: Bool, isList: Bool,
    maxDefinition: UInt32, elementDefinition: UInt32
  ) throws(ParquetError.Problem) -> LeafColumn {
    guard let physicalType = element.physicalType else { throw .damaged("a leaf without a type") }
    if physicalType == .fixedLengthByteArray {
      guard (1...(1 << 20)).contains(element.typeLength) else {
        throw .unsupported("values of \(element.typeLength) bytes each are not read")
      }
    }
    let type = element.valueType(physicalType)
    return LeafColumn(
      column: ParquetColumn(name, type, isOptional: isOptional, isList: isList),
      physicalType: physicalType, typeLength: element.typeLength, index: index,
      maxDefinition: maxDefinition, elementDefinition: elementDefinition)
  }
}

extension SchemaElement {
  /// What a leaf means; an annotation that does not fit the physical type is not heeded.
  fileprivate func valueType(_ physicalType: PhysicalType) -> ParquetType {
    switch (physicalType, annotation) {
    case (.boolean, _): .bool
    case (.int32, .date): .date
    case (.int32, .time(.millis)): .time(.millis)
    case (.int32, .integer(8, true)): .int8
    case (.int32, .integer(16, true)): .int16
    case (.int32, .integer(8, false)): .uint8
    case (.int32, .integer(16, false)): .uint16
    case (.int32, .integer(_, false)): .uint32
    case (.int64, .integer(_, false)): .uint64
    case (.int64, .time(let unit)): .time(unit)
    case (.int64, .timestamp(let unit, let isUTC)): .timestamp(unit, isUTC: isUTC)
    case (.int32, .decimal(let precision, let scale)) where (0...9).contains(scale):
      .decimal(precision: precision, scale: scale)
    case (.int64, .decimal(let precision, let scale)) where (0...18).contains(scale):
      .decimal(precision: precision, scale: scale)
    case (.byteArray, .decimal(let precision, let scale)) where (0...1000).contains(scale):
      .decimal(precision: precision, scale: scale)
    case (.fixedLengthByteArray, .decimal(let precision, let scale))
    where (0...1000).contains(scale) && typeLength <= DecimalText.longest:
      .decimal(precision: precision, scale: scale)
    case (.fixedLengthByteArray, .uuid) where typeLength == 16: .uuid
    case (.fixedLengthByteArray, .float16) where typeLength == 2: .float16
    case (.fixedLengthByteArray, _): .fixedBytes(typeLength)
    case (.byteArray, .string): .string
    case (.byteArray, .json): .json
    case (.byteArray, .enum): .enum
    case (.byteArray, _): .bytes
    case (.int32, _): .int32
    case (.int64, _): .int64
    case (.int96, _): .int96
    case (.float, _): .float
    case (.double, _): .double
    }
  }
}
