/// Turns what decoders give into ``ParquetValue``s, nulls put between.
struct ValueBuilder {
  /// Which places of a stretch hold a value.
  struct Presence {
    /// Definition levels; not looked at when nothing is null.
    var levels: [UInt32]
    var maxDefinition: UInt32
    var hasNulls: Bool
  }

  private let type: ParquetType

  init(_ type: ParquetType) { self.type = type }

  /// Appends `count` values: for each place that is present `value` of its number among these.
  @inline(__always)
  static func merge(
    _ count: Int, _ presence: borrowing Presence, into target: inout [ParquetValue],
    value: (Int) -> ParquetValue
  ) {
    guard presence.hasNulls else {
      for index in 0..<count { target.append(value(index)) }
      return
    }
    let levels = presence.levels.span
    let full = presence.maxDefinition
    var next = 0
    for index in 0..<count {
      if levels[index] == full {
        target.append(value(next))
        next += 1
      } else {
        target.append(.null)
      }
    }
  }

  func append(
    _ count: Int, words: [UInt64], _ presence: borrowing Presence,
    into target: inout [ParquetValue]
  ) {
    let span = words.span
    switch type {
    case .bool: Self.merge(count, presence, into: &target) { .bool(span[$0] != 0) }
    case .float:
      Self.merge(count, presence, into: &target) {
        .float(Float(bitPattern: UInt32(truncatingIfNeeded: span[$0])))
      }
    case .double:
      Self.merge(count, presence, into: &target) { .double(Double(bitPattern: span[$0])) }
    case .uint8, .uint16, .uint32:
      Self.merge(count, presence, into: &target) { .int(Int64(span[$0] & 0xFFFF_FFFF)) }
    case .uint64:
      Self.merge(count, presence, into: &target) {
        let value = span[$0]
        return Int64(exactly: value).map { .int($0) } ?? .text(String(value))
      }
    case .date:
      Self.merge(count, presence, into: &target) {
        .text(TimeText.date(Int64(bitPattern: span[$0])))
      }
    case .time(let unit):
      Self.merge(count, presence, into: &target) {
        .text(TimeText.time(Int64(bitPattern: span[$0]), unit))
      }
    case .timestamp(let unit, let isUTC):
      Self.merge(count, presence, into: &target) {
        .text(TimeText.timestamp(Int64(bitPattern: span[$0]), unit, isUTC: isUTC))
      }
    case .decimal(_, let scale):
      Self.merge(count, presence, into: &target) {
        .text(DecimalText.text(Int64(bitPattern: span[$0]), scale: scale))
      }
    default: Self.merge(count, presence, into: &target) { .int(Int64(bitPattern: span[$0])) }
    }
  }

  /// - Throws: `damaged` for a decimal that is longer than any.
  func append(
    _ count: Int, ranges: [ByteRange], of buffer: [UInt8], _ presence: borrowing Presence,
    into target: inout [ParquetValue]
  ) throws(ParquetError.Problem) {
    let span = ranges.span
    let bytes = buffer.span
    switch type {
    case .string, .json, .enum:
      Self.merge(count, presence, into: &target) { Self.text(bytes, span[$0]) }
    case .uuid:
      Self.merge(count, presence, into: &target) {
        .text(Self.uuid(buffer[span[$0].start..<span[$0].end]))
      }
    case .decimal(_, let scale):
      var isTooLong = false
      Self.merge(count, presence, into: &target) {
        let range = span[$0]
        guard range.end - range.start <= DecimalText.longest else {
          isTooLong = true
          return .null
        }
        return .text(DecimalText.text(buffer[range.start..<range.end], scale: scale))
      }
      if isTooLong { throw .damaged("a decimal has more than \(DecimalText.longest) bytes") }
    case .int96:
      Self.merge(count, presence, into: &target) {
        let start = span[$0].start
        let low = UInt64(LittleEndian.load32(buffer, at: start))
        let high = UInt64(LittleEndian.load32(buffer, at: start + 4))
        let day = Int64(Int32(bitPattern: LittleEndian.load32(buffer, at: start + 8)))
        return .text(
          TimeText.int96(nanos: Int64(bitPattern: high << 32 | low), julianDay: day))
      }
    case .float16:
      Self.merge(count, presence, into: &target) {
        let start = span[$0].start
        return .float(HalfPrecision.float(UInt16(bytes[start]) | UInt16(bytes[start + 1]) << 8))
      }
    default:
      Self.merge(count, presence, into: &target) {
        .bytes(Array(buffer[span[$0].start..<span[$0].end]))
      }
    }
  }

  /// Text, or the bytes as they are when they are no UTF-8.
  @inline(__always)
  private static func text(_ bytes: Span<UInt8>, _ range: ByteRange) -> ParquetValue {
    do {
      return .text(
        String(copying: try UTF8Span(validating: bytes.extracting(range.start..<range.end))))
    } catch {
      return .bytes((range.start..<range.end).map { bytes[$0] })
    }
  }

  private static func uuid(_ bytes: ArraySlice<UInt8>) -> String {
    var text = ""
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text += "-" }
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return text
  }
}

/// IEEE 754 binary16.
enum HalfPrecision {
  static func float(_ bits: UInt16) -> Float {
    let sign = UInt32(bits >> 15) << 31
    let exponent = UInt32(bits >> 10 & 31)
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:  // zero and subnormals: steps of 2 to the power of -24
      let magnitude = Float(fraction) * 0x1p-24
      return Float(bitPattern: magnitude.bitPattern | sign)
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
