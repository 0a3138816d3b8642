extension TarFormat {
  /// The header of a regular file; a pax header goes before it where ustar cannot hold `name`.
  ///
  /// That is a name that is too long or not ASCII. Owner, group and time are zero and the mode 0644,
  /// so the same members give the same bytes. `size` is less than 8 GiB, ustar's limit.
  static func header(name: String, size: Int) -> [UInt8] {
    let bytes = Array(name.utf8)
    if bytes.allSatisfy({ $0 < 0x80 }), let parts = split(bytes) {
      return block(name: parts.name, prefix: parts.prefix, size: size, kind: .file)
    }
    let record = paxRecord("path", name)
    var result = block(name: Array("pax".utf8), prefix: [], size: record.count, kind: .paxHeader)
    result += record
    result += [UInt8](repeating: 0, count: padded(record.count) - record.count)
    // Readers without pax see the first 100 bytes, in ASCII.
    let short = bytes.prefix(100).map { $0 < 0x80 ? $0 : UInt8(ascii: "_") }
    return result + block(name: short, prefix: [], size: size, kind: .file)
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

  /// One header block; its kind is a file or a pax header.
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
    block[156] = kind == .paxHeader ? UInt8(ascii: "x") : UInt8(ascii: "0")
    put(Array("ustar".utf8) + [0] + Array("00".utf8), at: 257)
    put(prefix, at: 345)
    put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
    put(octal(block.reduce(0) { $0 + Int($1) }, 6) + [0, UInt8(ascii: " ")], at: 148)
    return block
  }
}
