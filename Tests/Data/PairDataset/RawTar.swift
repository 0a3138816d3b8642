import ContentHashing

/// Tars and indexes made by hand, as nobody honest would make them.
enum RawTar {
  /// One header block: `size` is what stands in its field, of up to 12 bytes.
  static func header(
    _ name: [UInt8], size: [UInt8], flag: Character = "0", magic: String = "ustar\u{0}00"
  ) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    for (index, byte) in name.prefix(100).enumerated() { block[index] = byte }
    for (index, byte) in size.prefix(12).enumerated() { block[124 + index] = byte }
    for (index, byte) in magic.utf8.enumerated() { block[257 + index] = byte }
    block[156] = flag.asciiValue ?? 0
    return sealed(block)
  }

  /// The block with its checksum made right.
  static func sealed(_ block: [UInt8]) -> [UInt8] {
    var block = block
    block.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
    let sum = block.reduce(0) { $0 + Int($1) }
    block.replaceSubrange(148..<156, with: Array((octal(sum, 6) + "\u{0} ").utf8))
    return block
  }

  static func octal(_ value: Int, _ digits: Int) -> String {
    let text = String(value, radix: 8)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  static func member(_ name: String, _ data: [UInt8] = [], flag: Character = "0") -> [UInt8] {
    header(Array(name.utf8), size: Array(octal(data.count, 11).utf8), flag: flag) + padded(data)
  }

  static func padded(_ data: [UInt8]) -> [UInt8] {
    data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
  }

  /// A pax header with these records.
  static func pax(_ records: [(String, String)]) -> [UInt8] {
    let data = records.flatMap { key, value -> [UInt8] in
      let rest = " \(key)=\(value)\n".utf8.count
      var length = rest
      while String(length).utf8.count + rest != length {
        length = String(length).utf8.count + rest
      }
      return Array("\(length) \(key)=\(value)\n".utf8)
    }
    return member("pax", data, flag: "x")
  }

  static let end = [UInt8](repeating: 0, count: 1024)

  /// An index with these numbers, its checksum right.
  static func index(
    fileSize: Int, tarSize: Int, frames: [(Int, Int)] = [],
    entries: [(gap: Int, length: Int, key: String)]
  ) -> [UInt8] {
    let body = indexBody(fileSize: fileSize, tarSize: tarSize, frames: frames, entries: entries)
    return body + ContentHash.sha256(body)
  }

  static func indexBody(
    fileSize: Int, tarSize: Int, frames: [(Int, Int)] = [],
    entries: [(gap: Int, length: Int, key: String)]
  ) -> [UInt8] {
    var bytes = Array("PLIX".utf8) + [1]
    func put(_ value: Int) {
      var rest = UInt(bitPattern: value)
      while rest > 0x7F {
        bytes.append(UInt8(rest & 0x7F) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }
    put(fileSize)
    put(tarSize)
    put(frames.count)
    for (file, tar) in frames {
      put(file)
      put(tar)
    }
    put(entries.count)
    for entry in entries {
      put(entry.gap)
      put(entry.length)
      put(entry.key.utf8.count)
      bytes += Array(entry.key.utf8)
    }
    return bytes
  }
}
