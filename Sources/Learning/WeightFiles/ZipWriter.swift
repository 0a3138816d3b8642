import Compression
import ZipFiles

/// Writes a ZIP archive of stored members whose bytes begin at multiples of 64, as torch maps them.
///
/// Times are those of 1980-01-01, so that the same members give the same bytes. ZIP64 fields stand only
/// where a number needs them.
struct ZipWriter {
  private let sink: WeightSink
  private var table: [UInt8] = []
  private var count = 0

  private static let alignment = 64
  /// The identity of an extra field that only fills; torch and Android use others as freely.
  private static let padding: UInt16 = 0x4246
  private static let firstDay: UInt16 = 0x21

  init(_ path: String) throws(WeightFileError) { sink = try WeightSink(path) }

  mutating func add(_ name: String, _ bytes: [UInt8]) throws(WeightFileError) {
    let offset = sink.byteCount
    let isLong = bytes.count >= 0xFFFF_FFFF
    let crc = CRC32.checksum(bytes)
    let utf8 = Array(name.utf8)

    var extra: [UInt8] = []
    if isLong {
      extra.append(littleEndian: 1, 2)
      extra.append(littleEndian: 16, 2)
      for _ in 0..<2 { extra.append(littleEndian: bytes.count, 8) }
    }
    let unpadded = offset + 30 + utf8.count + extra.count + 4
    let fill = (Self.alignment - unpadded % Self.alignment) % Self.alignment
    extra.append(littleEndian: Self.padding, 2)
    extra.append(littleEndian: fill, 2)
    extra += Array(repeating: 0, count: fill)

    var header: [UInt8] = []
    header.append(littleEndian: 0x0403_4B50, 4)
    header += facts(crc: crc, count: bytes.count, isLong: isLong, name: utf8.count)
    header.append(littleEndian: extra.count, 2)
    try sink.write(header + utf8 + extra)
    try sink.write(bytes)

    var wide: [UInt8] = []
    if isLong { for _ in 0..<2 { wide.append(littleEndian: bytes.count, 8) } }
    let isFar = offset >= 0xFFFF_FFFF
    if isFar { wide.append(littleEndian: offset, 8) }
    table.append(littleEndian: 0x0201_4B50, 4)
    table.append(littleEndian: 45, 2)
    table += facts(crc: crc, count: bytes.count, isLong: isLong, name: utf8.count)
    table.append(littleEndian: wide.isEmpty ? 0 : wide.count + 4, 2)
    // Comment, disk, attributes.
    table += Array(repeating: 0, count: 10)
    table.append(littleEndian: isFar ? 0xFFFF_FFFF : offset, 4)
    table += utf8
    if !wide.isEmpty {
      table.append(littleEndian: 1, 2)
      table.append(littleEndian: wide.count, 2)
      table += wide
    }
    count += 1
  }

  /// From the version that is needed to the length of the name: both headers have it.
  private func facts(crc: UInt32, count: Int, isLong: Bool, name: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: isLong ? 45 : 20, 2)
    // Names are UTF-8; stored; a time of midnight.
    for value in [0x800, 0, 0, Int(Self.firstDay)] { bytes.append(littleEndian: value, 2) }
    bytes.append(littleEndian: crc, 4)
    for _ in 0..<2 { bytes.append(littleEndian: isLong ? 0xFFFF_FFFF : count, 4) }
    bytes.append(littleEndian: name, 2)
    return bytes
  }

  /// Writes the table of contents and publishes the file.
  func finish() throws(WeightFileError) {
    let start = sink.byteCount
    var end: [UInt8] = []
    if count >= 0xFFFF || start + table.count >= 0xFFFF_FFFF {
      end.append(littleEndian: 0x0606_4B50, 4)
      end.append(littleEndian: 44, 8)
      for _ in 0..<2 { end.append(littleEndian: 45, 2) }
      end += Array(repeating: 0, count: 8)
      for value in [count, count, table.count, start] { end.append(littleEndian: value, 8) }
      end.append(littleEndian: 0x0706_4B50, 4)
      end.append(littleEndian: 0, 4)
      end.append(littleEndian: start + table.count, 8)
      end.append(littleEndian: 1, 4)
    }
    end.append(littleEndian: 0x0605_4B50, 4)
    end.append(littleEndian: 0, 4)
    for _ in 0..<2 { end.append(littleEndian: min(count, 0xFFFF), 2) }
    end.append(littleEndian: table.count, 4)
    end.append(littleEndian: min(start, 0xFFFF_FFFF), 4)
    end.append(littleEndian: 0, 2)
    try sink.write(table + end)
    try sink.commit()
  }
}
