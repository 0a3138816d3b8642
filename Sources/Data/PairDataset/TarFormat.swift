/// The parts of tar that WebDataset needs: POSIX ustar, with pax and GNU long names.
///
/// Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar 1.34,
/// "Basic Tar Format".
enum TarFormat {
  /// Headers and data come in blocks of this size.
  static let blockSize = 512
  /// The largest extended header read: names, not data.
  static let maxExtendedHeader = 1 << 20
  /// The largest size believed; keeps offsets far from overflow.
  static let maxSize = 1 << 52
  /// The longest name read, in bytes: Linux opens no longer path.
  static let maxName = 4096

  enum Kind: Equatable {
    case file
    case paxHeader, paxGlobalHeader, gnuLongName, gnuLongLink
    /// GNU's old format of files with holes.
    case gnuSparse
    /// Folders, links, devices, which have no data whatever their size says, as Python's tarfile and
    /// GNU tar read them.
    case withoutData
    /// Kinds of other programs; their data is passed over.
    case other

    init(_ flag: UInt8) {
      self =
        switch flag {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
        case UInt8(ascii: "x"): .paxHeader
        case UInt8(ascii: "g"): .paxGlobalHeader
        case UInt8(ascii: "L"): .gnuLongName
        case UInt8(ascii: "K"): .gnuLongLink
        case UInt8(ascii: "S"): .gnuSparse
        case UInt8(ascii: "1")...UInt8(ascii: "6"): .withoutData
        default: .other
        }
    }
  }

  struct Header {
    var name: String
    var size: Int
    var kind: Kind
  }

  /// `size` rounded up to whole blocks.
  static func padded(_ size: Int) -> Int { (size + blockSize - 1) & ~(blockSize - 1) }

  enum Parsed {
    case header(Header)
    /// A zero block, which ends the archive.
    case end
    /// Not a header; the words say why.
    case bad(String)
  }

  /// The block of 512 bytes at `start` as a header.
  static func parse(_ bytes: [UInt8], at start: Int) -> Parsed {
    precondition(start + blockSize <= bytes.count, "a header at \(start) of \(bytes.count) bytes")
    let block = bytes.span.extracting(start..<start + blockSize)
    var unsigned: UInt32 = 0
    for index in block.indices { unsigned &+= UInt32(block[index]) }
    if unsigned == 0 { return .end }
    // The checksum field itself counts as spaces.
    var signed: Int32 = 0
    for index in 148..<156 {
      unsigned = unsigned &- UInt32(block[index]) &+ 0x20
      signed += 0x20 - Int32(Int8(bitPattern: block[index]))
    }
    guard let sum = number(block.extracting(148..<156)) else {
      return .bad("the checksum of the tar header is no number")
    }
    if sum != unsigned {
      // Old writers summed signed bytes.
      for index in block.indices { signed += Int32(Int8(bitPattern: block[index])) }
      guard sum == signed else { return .bad("the checksum of the tar header is wrong") }
    }
    guard let size = number(block.extracting(124..<136)), size <= maxSize else {
      return .bad("the size in the tar header is no number, or beyond sense")
    }
    func field(_ offset: Int, _ count: Int) -> ArraySlice<UInt8> {
      bytes[start + offset..<start + offset + count]
    }
    var name = text(field(0, 100))
    // GNU's own headers ("ustar  ") keep times where POSIX keeps the prefix.
    if block[345] != 0, field(257, 6).elementsEqual(ustar) {
      name = text(field(345, 155)) + "/" + name
    }
    var kind = Kind(block[156])
    // Writers before POSIX marked a folder by its name only.
    if block[156] == 0, name.utf8.last == UInt8(ascii: "/") { kind = .withoutData }
    return .header(Header(name: name, size: kind == .withoutData ? 0 : size, kind: kind))
  }

  private static let ustar = Array("ustar".utf8) + [0]

  /// What a pax extended header says that matters here.
  struct PaxFields: Equatable {
    var path: String?
    var size: Int?
    /// Whether the file is stored without its holes (GNU.sparse.*).
    var isSparse = false
  }

  /// The fields of a pax extended header; nil when a record is malformed.
  static func paxFields(_ data: [UInt8]) -> PaxFields? {
    var result = PaxFields()
    var rest = data[...]
    while !rest.isEmpty {
      // Twenty digits hold any length that is believed.
      guard let space = rest.prefix(20).firstIndex(of: UInt8(ascii: " ")),
        let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
        length > space - rest.startIndex + 1, length <= rest.count
      else { return nil }
      let record = rest[(space + 1)..<(rest.startIndex + length)]
      guard record.last == UInt8(ascii: "\n"),
        let equals = record.firstIndex(of: UInt8(ascii: "="))
      else { return nil }
      let value = String(decoding: record[(equals + 1)..<(record.endIndex - 1)], as: UTF8.self)
      let key = String(decoding: record[..<equals], as: UTF8.self)
      switch key {
      case "path": result.path = value
      case "size":
        guard let size = Int(value), (0...maxSize).contains(size) else { return nil }
        result.size = size
      default: if key.hasPrefix("GNU.sparse.") { result.isSparse = true }
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
  private static func number(_ field: Span<UInt8>) -> Int? {
    var value = 0
    if field[0] & 0x80 != 0 {
      guard field[0] & 0x40 == 0 else { return nil }  // negative
      value = Int(field[0] & 0x3F)
      for index in 1..<field.count {
        guard value < 1 << 54 else { return nil }
        value = value << 8 | Int(field[index])
      }
      return value
    }
    var index = 0
    while index < field.count, field[index] == 0x20 { index += 1 }
    while index < field.count, field[index] != 0x20, field[index] != 0 {
      guard (0x30...0x37).contains(field[index]) else { return nil }
      value = value << 3 | Int(field[index] - 0x30)  // 12 digits at most: no overflow
      index += 1
    }
    return value
  }
}
