import ParquetFile

extension ParquetType {
  /// Whether its values are numbers or flags.
  var isNumber: Bool {
    switch self {
    case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float, .float16,
      .double:
      true
    default: false
    }
  }
}

extension ParquetValue {
  /// The value as a number; nil for null and for what is none.
  var number: Double? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .int(let value): Double(value)
    case .float(let value): Double(value)
    case .double(let value): value
    case .text(let text): Double(text)
    case .null, .bytes, .list: nil
    }
  }

  var text: String? {
    switch self {
    case .text(let text): text
    case .bool(let flag): flag ? "true" : "false"
    case .int(let value): String(value)
    case .float(let value): "\(value)"
    case .double(let value): "\(value)"
    case .null, .bytes, .list: nil
    }
  }
}
