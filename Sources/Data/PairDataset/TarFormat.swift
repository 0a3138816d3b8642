/// The parts of tar that WebDataset needs: POSIX ustar, with pax and GNU long names.
///
/// Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block".
enum TarFormat {
  /// Headers and data come in blocks of this size.
  static let blockSize = 512
  /// The largest extended header read: names, not data.
  static let maxExtendedHeader = 1 << 20
  /// The largest size believed; keeps offsets far from overflow.
  static let maxSize = 1 << 52

  enum Kind: UInt8 {
    case file = 0x30
    case oldFile = 0
    case contiguousFile = 0x37
    case paxHeader = 0x78
    case paxGlobalHeader = 0x67
    case gnuLongName = 0x4C
    case gnuLongLink = 0x4B
    /// Folders, links, devices: their data, if any, is skipped.
    case other = 0xFF

    var isFile: Bool { self == .file || self == .oldFile || self == .contiguousFile }
  }

  struct Header {
    var name: String
    var size: Int
    var kind: Kind
  }

  /// `size` rounded up to whole blocks.
  static func padded(_ size: Int) -> Int { (size + blockSize - 1) & ~(blockSize - 1) }

  // MARK: Writing

  /// The header of a regular file; a pax header goes before it where `name` does not fit.
  ///
  /// Owner, group and time are zero and the mode 0644, so the same members give the same bytes.
  static func header(name: String, size: Int) -> [UInt8] {
    let bytes = Array(name.utf8)
    if let parts = split(bytes) {
      return block(name: parts.name, prefix: parts.prefix, size: size, kind: .file)
    }
    let record = paxRecord("path", name)
    var result = block(name: Array("pax".utf8), prefix: [], size: record.count, kind: .paxHeader)
    result += record
    result += [UInt8](repeating: 0, count: padded(record.count) - record.count)
    // Readers without pax see the first 100 bytes.
    return result + block(name: Array(bytes.prefix(100)), prefix: [], size: size, kind: .file)
  }

  /// Two zero blocks.
  static let end = [UInt8](repeating: 0, count: 2 * blockSize)

  /// A name of up to 100 bytes, or with a prefix of up to 155 that ends before a slash.
  private static func split(_ name: [UInt8]) -> (prefix: [UInt8], name: [UInt8])? {
    if name.count <= 100 { return ([], name) }
    guard name.count <= 256 else { return nil }
    let slash = UInt8(ascii: "/")
    for index in name.indices.reversed()
    where name[index] == slash && (1...155).contains(index) {
      let rest = name.count - index - 1
      if (1...100).contains(rest) { return (Array(name[..<index]), Array(name[(index + 1)...])) }
    }
    return nil
  }

  /// `LENGTH KEY=VALUE\n`, whose length counts itself.
  private static func paxRecord(_ key: String, _ value: String) -> [UInt8] {
    let rest = Array(" \(key)=\(value)\n".utf8)
    var length = rest.count + 1
    while String(length).utf8.count + rest.count != length {
      length = String(length).utf8.count + rest.count
    }
    return Array(String(length).utf8) + rest
  }

  private static func block(name: [UInt8], prefix: [UInt8], size: Int, kind: Kind) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: blockSize)
    func put(_ bytes: some Collection<UInt8>, at offset: Int) {
      block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    func octal(_ value: Int, _ digits: Int) -> [UInt8] {
      let text = Array(String(value, radix: 8).utf8)
      return [UInt8](repeating: UInt8(ascii: "0"), count: digits - text.count) + text
    }
    put(name, at: 0)
    put(octal(0o644, 7), at: 100)
    put(octal(0, 7), at: 108)
    put(octal(0, 7), at: 116)
    put(octal(size, 11), at: 124)
    put(octal(0, 11), at: 136)
    block[156] = kind.rawValue
    put(Array("ustar".utf8) + [0] + Array("00".utf8), at: 257)
    put(prefix, at: 345)
    put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
    put(octal(block.reduce(0) { $0 + Int($1) }, 6) + [0, UInt8(ascii: " ")], at: 148)
    return block
  }

  // MARK: Reading

  enum Parsed {
    case header(Header)
    /// A zero block, which ends the archive.
    case end
    /// Not a header; the words say why.
    case bad(String)
  }

  /// One block of 512 bytes as a header.
  static func parse(_ block: ArraySlice<UInt8>) -> Parsed {
    precondition(block.count == blockSize, "a header has \(blockSize) bytes, not \(block.count)")
    if block.allSatisfy({ $0 == 0 }) { return .end }
    let start = block.startIndex
    func field(_ offset: Int, _ count: Int) -> ArraySlice<UInt8> {
      block[start + offset..<start + offset + count]
    }
    // The checksum field itself counts as spaces; old writers summed signed bytes.
    var unsigned = 8 * 0x20
    var signed = unsigned
    for index in block.indices where !(148..<156).contains(index - start) {
      unsigned += Int(block[index])
      signed += Int(Int8(bitPattern: block[index]))
    }
    guard let sum = number(field(148, 8)), sum == unsigned || sum == signed else {
      return .bad("the checksum of the tar header is wrong")
    }
    guard let size = number(field(124, 12)), size <= maxSize else {
      return .bad("the size in the tar header is no number, or beyond sense")
    }
    var name = text(field(0, 100))
    let prefix = text(field(345, 155))
    // GNU's own headers ("ustar  ") keep times where POSIX keeps the prefix.
    if field(257, 6).elementsEqual(Array("ustar".utf8) + [0]), !prefix.isEmpty {
      name = prefix + "/" + name
    }
    return .header(
      Header(name: name, size: size, kind: Kind(rawValue: block[start + 156]) ?? .other))
  }

  /// The `path` and `size` of a pax extended header, where it has them.
  ///
  /// Nil when a record is malformed.
  static func paxFields(_ data: [UInt8]) -> (path: String?, size: Int?)? {
    var result: (path: String?, size: Int?) = (nil, nil)
    var rest = data[...]
    while !rest.isEmpty {
      guard let space = rest.firstIndex(of: UInt8(ascii: " ")),
        let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
        length > space - rest.startIndex + 1, length <= rest.count
      else { return nil }
      let record = rest[(space + 1)..<(rest.startIndex + length)]
      guard record.last == UInt8(ascii: "\n"),
        let equals = record.firstIndex(of: UInt8(ascii: "="))
      else { return nil }
      let value = String(decoding: record[(equals + 1)..<(record.endIndex - 1)], as: UTF8.self)
      switch String(decoding: record[..<equals], as: UTF8.self) {
      case "path": result.path = value
      case "size":
        guard let size = Int(value), (0...maxSize).contains(size) else { return nil }
        result.size = size
      default: break
      }
      rest = rest.dropFirst(length)
    }
    return result
  }

  /// The bytes up to the first zero.
  static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// An octal number among spaces and zeros, or GNU's base 256 when the first bit is set.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    guard let first = field.first else { return nil }
    if first & 0x80 != 0 {
      var value = Int(first & 0x3F)
      guard first & 0x40 == 0 else { return nil }  // negative
      for byte in field.dropFirst() {
        guard value < 1 << 54 else { return nil }
        value = value << 8 | Int(byte)
      }
      return value
    }
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
    if digits.isEmpty { return 0 }
    var value = 0
    for digit in digits {
      guard (0x30...0x37).contains(digit) else { return nil }
      value = value << 3 | Int(digit - 0x30)  // 12 digits at most: no overflow
    }
    return value
  }
}
