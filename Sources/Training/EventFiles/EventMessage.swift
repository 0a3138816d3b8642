/// One event of TensorBoard as its protocol buffer (tensorboard/compat/proto/event.proto, summary.proto).
///
/// Written field by field: a handful of fields needs no compiler of protocols.
struct EventMessage {
  private(set) var bytes: [UInt8] = []

  /// - Parameters:
  ///   - time: Seconds since 1970; 0 leaves the field out.
  ///   - step: As its readers count; 0 leaves the field out.
  init(time: Double = 0, step: Int = 0) {
    if time != 0 { append(field: 1, fixed64: time.bitPattern) }
    if step != 0 { append(field: 2, varint: UInt64(bitPattern: Int64(step))) }
  }

  /// The first event of every file.
  static func version(time: Double) -> EventMessage {
    var event = EventMessage(time: time)
    event.append(field: 3, Array("brain.Event:2".utf8))
    return event
  }

  /// Says that a run goes on at `step`: what older files hold of it and after is no longer so.
  static func start(time: Double, step: Int) -> EventMessage {
    var log = EventMessage()
    // SessionLog.status = START
    log.append(field: 1, varint: 1)
    var event = EventMessage(time: time, step: step)
    event.append(field: 7, log.bytes)
    return event
  }

  /// Numbers by their tags.
  static func scalars(
    _ scalars: [(tag: String, value: Float)], time: Double, step: Int
  ) -> EventMessage {
    var summary = EventMessage()
    for (tag, number) in scalars {
      var value = EventMessage()
      value.append(field: 1, Array(tag.utf8))
      value.append(field: 2, fixed32: number.bitPattern)
      summary.append(field: 1, value.bytes)
    }
    var event = EventMessage(time: time, step: step)
    event.append(field: 5, summary.bytes)
    return event
  }

  // Wire types: 0 varint, 1 eight bytes, 2 a length and bytes, 5 four bytes; little endian.

  private mutating func append(field: UInt64, varint value: UInt64) {
    append(varint: field << 3)
    append(varint: value)
  }

  private mutating func append(field: UInt64, fixed64 value: UInt64) {
    append(varint: field << 3 | 1)
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }

  private mutating func append(field: UInt64, fixed32 value: UInt32) {
    append(varint: field << 3 | 5)
    for shift in stride(from: 0, to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift)))
    }
  }

  private mutating func append(field: UInt64, _ content: [UInt8]) {
    append(varint: field << 3 | 2)
    append(varint: UInt64(content.count))
    bytes += content
  }

  private mutating func append(varint value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
