/// The unit of a time or timestamp.
public enum ParquetTimeUnit: Sendable, Hashable {
  case millis, micros, nanos

  /// The units in a second.
  var perSecond: Int64 {
    switch self {
    case .millis: 1_000
    case .micros: 1_000_000
    case .nanos: 1_000_000_000
    }
  }

  /// The digits after the point of a second.
  var digits: Int {
    switch self {
    case .millis: 3
    case .micros: 6
    case .nanos: 9
    }
  }
}

/// What a column holds, and which ``ParquetValue`` carries it.
public enum ParquetType: Sendable, Hashable {
  /// `bool`.
  case bool
  /// `int`; a `uint64` above Int64.max is `text`.
  case int8, int16, int32, int64, uint8, uint16, uint32, uint64
  /// `float`; half precision is read as `float` too.
  case float, float16
  /// `double`.
  case double
  /// `text`; a value that is no UTF-8 is `bytes`.
  case string, json, `enum`
  /// `bytes`.
  case bytes
  /// `bytes` of this count.
  case fixedBytes(Int)
  /// `text`: lower-case, with hyphens.
  case uuid
  /// `text`: `2026-11-24`, in the proleptic Gregorian calendar; written from `int`, days since 1970.
  case date
  /// `text`: `13:05:00.000`, with as many digits as the unit has.
  case time(ParquetTimeUnit)
  /// `text`: `2026-11-24T13:05:00.000Z`, without `Z` where it is local; written from `int`, units
  /// since 1970.
  case timestamp(ParquetTimeUnit, isUTC: Bool = true)
  /// `text`: a timestamp in nanoseconds, in the deprecated form of Impala and Spark.
  case int96
  /// `text`: all digits of the scale, as in `-0.50`.
  case decimal(precision: Int, scale: Int)
}

/// A column: a value per row, or a list of values per row.
public struct ParquetColumn: Sendable, Hashable {
  public var name: String
  /// The type of its values, or of its lists' elements.
  public var type: ParquetType
  /// Whether a row may hold null.
  ///
  /// A list's elements may always be null when written.
  public var isOptional: Bool
  public var isList: Bool

  public init(_ name: String, _ type: ParquetType, isOptional: Bool = true, isList: Bool = false) {
    self.name = name
    self.type = type
    self.isOptional = isOptional
    self.isList = isList
  }
}
