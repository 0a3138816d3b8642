/// One value of a Parquet column.
public enum ParquetValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// Any integer type, sign and width aside; unsigned ones above Int64.max as `text`.
  case int(Int64)
  case float(Float)
  case double(Double)
  /// A logical string, enum, JSON text or UUID; decimals and times as text without loss.
  case text(String)
  case bytes([UInt8])
  case list([ParquetValue])
}
