/// Writes Thrift's compact protocol.
struct CompactWriter {
  private(set) var bytes: [UInt8] = []
  /// The number of the last field, by structure.
  private var numbers = [0]

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func zigzag(_ value: Int) {
    varint(UInt64(bitPattern: Int64((value << 1) ^ (value >> 63))))
  }

  private mutating func head(_ number: Int, _ kind: CompactReader.Kind) {
    // Parquet's structures have fewer than 16 fields, and they are written in order.
    let step = number - numbers[numbers.count - 1]
    precondition((1...15).contains(step), "Thrift field \(number) out of order")
    bytes.append(UInt8(step) << 4 | kind.rawValue)
    numbers[numbers.count - 1] = number
  }

  mutating func int8(_ number: Int, _ value: Int8) {
    head(number, .int8)
    bytes.append(UInt8(bitPattern: value))
  }

  mutating func int16(_ number: Int, _ value: Int) {
    head(number, .int16)
    zigzag(value)
  }

  mutating func int32(_ number: Int, _ value: Int) {
    head(number, .int32)
    zigzag(value)
  }

  mutating func int64(_ number: Int, _ value: Int) {
    head(number, .int64)
    zigzag(value)
  }

  mutating func bool(_ number: Int, _ value: Bool) { head(number, value ? .yes : .no) }

  mutating func binary(_ number: Int, _ value: [UInt8]) {
    head(number, .binary)
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func text(_ number: Int, _ value: String) { binary(number, Array(value.utf8)) }

  mutating func structure(_ number: Int, _ body: (inout CompactWriter) -> Void = { _ in }) {
    head(number, .structure)
    element(body)
  }

  /// A structure without a head: the outermost, or an element of a list.
  mutating func element(_ body: (inout CompactWriter) -> Void) {
    numbers.append(0)
    body(&self)
    numbers.removeLast()
    bytes.append(0)
  }

  private mutating func listHead(_ number: Int, _ kind: CompactReader.Kind, _ count: Int) {
    head(number, .list)
    if count < 15 {
      bytes.append(UInt8(count) << 4 | kind.rawValue)
    } else {
      bytes.append(0xF0 | kind.rawValue)
      varint(UInt64(count))
    }
  }

  mutating func list<T>(_ number: Int, _ items: [T], _ body: (inout CompactWriter, T) -> Void) {
    listHead(number, .structure, items.count)
    for item in items { element { body(&$0, item) } }
  }

  mutating func list32(_ number: Int, _ items: [Int]) {
    listHead(number, .int32, items.count)
    for item in items { zigzag(item) }
  }

  mutating func list64(_ number: Int, _ items: [Int]) {
    listHead(number, .int64, items.count)
    for item in items { zigzag(item) }
  }

  mutating func listBool(_ number: Int, _ items: [Bool]) {
    listHead(number, .yes, items.count)
    for item in items { bytes.append(item ? 1 : 2) }
  }

  mutating func listBinary(_ number: Int, _ items: [[UInt8]]) {
    listHead(number, .binary, items.count)
    for item in items {
      varint(UInt64(item.count))
      bytes += item
    }
  }
}
