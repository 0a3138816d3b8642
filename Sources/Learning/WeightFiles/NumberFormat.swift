import TensorEngine

/// The types of number that weight files hold, by safetensors' names, and how they become Float.
public enum NumberFormat: String, CaseIterable, Sendable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int64 = "I64"
  case int32 = "I32"
  case int16 = "I16"
  case int8 = "I8"
  case uint8 = "U8"
  case bool = "BOOL"

  public var byteCount: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// The little-endian numbers of `bytes` as Float.
  ///
  /// Rounded to nearest where Float is too narrow: F64, and integers beyond 2²⁴.
  func tensor(shape: [Int], _ bytes: [UInt8]) -> Tensor {
    var tensor = Tensor(shape: shape)
    precondition(
      bytes.count == tensor.count * byteCount,
      "\(rawValue) of shape \(shape): \(bytes.count) bytes")
    tensor.withMutableSpan { floats in
      let raw = unsafe bytes.span.bytes
      switch self {
      case .float64: Self.fill(&floats, raw) { Float(Double(bitPattern: $0)) }
      case .float32: Self.fill(&floats, raw) { Float(bitPattern: $0) }
      case .float16: Self.fill(&floats, raw) { Float(Float16(bitPattern: $0)) }
      case .bfloat16:
        Self.fill(&floats, raw) { (word: UInt16) in Float(bitPattern: UInt32(word) << 16) }
      case .int64: Self.fill(&floats, raw) { (word: Int64) in Float(word) }
      case .int32: Self.fill(&floats, raw) { (word: Int32) in Float(word) }
      case .int16: Self.fill(&floats, raw) { (word: Int16) in Float(word) }
      case .int8: Self.fill(&floats, raw) { (word: Int8) in Float(word) }
      case .uint8: Self.fill(&floats, raw) { (word: UInt8) in Float(word) }
      case .bool: Self.fill(&floats, raw) { (word: UInt8) in word == 0 ? 0 : 1 }
      }
    }
    return tensor
  }

  private static func fill<Word: FixedWidthInteger & BitwiseCopyable>(
    _ floats: inout MutableSpan<Float>, _ bytes: RawSpan, _ float: (Word) -> Float
  ) {
    let stride = MemoryLayout<Word>.size
    for index in floats.indices {
      // Safe: any bits make an integer, and the span checks its bounds.
      let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index * stride, as: Word.self)
      floats[index] = float(Word(littleEndian: word))
    }
  }
}
