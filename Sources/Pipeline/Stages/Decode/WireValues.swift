/// Values one after another: numbers of 64 bits, least significant byte first, and bytes by length.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func int(_ value: Int) {
    let word = UInt64(truncatingIfNeeded: value)
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: word >> shift))
    }
  }

  mutating func data(_ data: [UInt8]) {
    int(data.count)
    bytes += data
  }

  mutating func text(_ text: String) { data(Array(text.utf8)) }

  mutating func optional<T>(_ value: T?, _ write: (inout WireWriter, T) -> Void) {
    int(value == nil ? 0 : 1)
    if let value { write(&self, value) }
  }
}

/// Reads what a ``WireWriter`` wrote; each call gives nil where the bytes are something else.
struct WireReader {
  /// A value that was there, and may have been nil itself.
  struct Optional<T> { var value: T? }

  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { place == bytes.count }

  mutating func int() -> Int? {
    guard bytes.count - place >= 8 else { return nil }
    var word: UInt64 = 0
    for index in 0..<8 { word |= UInt64(bytes[place + index]) << UInt64(8 * index) }
    place += 8
    return Int(truncatingIfNeeded: word)
  }

  mutating func data() -> [UInt8]? {
    guard let count = int(), count >= 0, count <= bytes.count - place else { return nil }
    defer { place += count }
    return Array(bytes[place..<place + count])
  }

  mutating func text() -> String? {
    guard let data = data() else { return nil }
    return String(validating: data, as: UTF8.self)
  }

  mutating func optional<T>(_ read: (inout WireReader) -> T?) -> Optional<T>? {
    switch int() {
    case 0: return Optional(value: nil)
    case 1:
      guard let value = read(&self) else { return nil }
      return Optional(value: value)
    default: return nil
    }
  }

  /// Items of `width` bytes each.
  mutating func array<T>(width: Int, _ read: (inout WireReader) -> T?) -> [T]? {
    guard let count = int(), count >= 0, count <= (bytes.count - place) / width else { return nil }
    var items: [T] = []
    for _ in 0..<count {
      guard let item = read(&self) else { return nil }
      items.append(item)
    }
    return items
  }
}
