// The structures of parquet.thrift (parquet-format 2.11) that matter here.

/// How a leaf is stored.
enum PhysicalType: Int32, Sendable {
  case boolean = 0
  case int32, int64, int96, float, double, byteArray, fixedLengthByteArray
}

enum Repetition: Int32, Sendable { case required = 0, optional, repeated }

/// parquet.thrift's `Encoding`.
enum PageEncoding: Int32, Sendable {
  case plain = 0
  case plainDictionary = 2
  case runLength, bitPacked, deltaBinaryPacked, deltaLengthByteArray, deltaByteArray
  case dictionary, byteStreamSplit
}

/// The annotation of a leaf or a group, the newer logical type before the older converted one.
enum Annotation: Sendable, Equatable {
  case string, map, list, `enum`, date, json, bson, uuid, float16, interval
  case decimal(precision: Int, scale: Int)
  case time(ParquetTimeUnit)
  case timestamp(ParquetTimeUnit, isUTC: Bool)
  case integer(bits: Int, isSigned: Bool)
  /// A column of nulls, or an annotation this reader does not know: the stored form is what it is.
  case other(Int)
}

/// A node of the schema, in the order of a depth-first walk.
struct SchemaElement: Sendable {
  var physicalType: PhysicalType?
  var typeLength = 0
  var repetition = Repetition.required
  var name = ""
  var childCount = 0
  var annotation: Annotation?
}

/// Where a column's pages lie in one row group.
struct ColumnChunk: Sendable {
  var physicalType: PhysicalType?
  var codec: Int32 = 0
  var valueCount = 0
  var dataPageOffset = 0
  var dictionaryPageOffset: Int?
  var isInOtherFile = false
  var isEncrypted = false
  var hasMetadata = false

  /// Where its first page begins.
  var start: Int {
    if let offset = dictionaryPageOffset, offset > 0, offset < dataPageOffset { return offset }
    return dataPageOffset
  }
}

struct RowGroup: Sendable {
  var columns: [ColumnChunk] = []
  var rowCount = 0
}

/// The footer.
struct FileMetadata: Sendable {
  var schema: [SchemaElement] = []
  var rowCount = 0
  var rowGroups: [RowGroup] = []
  var keyValues: [(key: String, value: String)] = []
  var createdBy: String?
  var isEncrypted = false
}
