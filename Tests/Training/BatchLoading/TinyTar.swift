import Foundation

/// Tars made by hand, as other programs make them.
enum TinyTar {
  /// A ustar archive of files in their order.
  static func bytes(_ members: [(name: String, data: [UInt8])]) -> [UInt8] {
    members.flatMap { member($0.name, $0.data) } + [UInt8](repeating: 0, count: 1024)
  }

  static func write(_ members: [(name: String, data: [UInt8])], to path: String) throws {
    try Data(bytes(members)).write(to: URL(filePath: path))
  }

  private static func member(_ name: String, _ data: [UInt8]) -> [UInt8] {
    // GNU's way for what does not fit: a member of type L holds the name.
    if name.utf8.count > 100 {
      return entry("././@LongLink", Array(name.utf8) + [0], type: "L")
        + entry(String(name.prefix(100)), data, type: "0")
    }
    return entry(name, data, type: "0")
  }

  private static func entry(_ name: String, _ data: [UInt8], type: Character) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: Array(text.utf8))
    }
    func octal(_ number: Int, digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: digits - text.count) + text
    }
    put(name, at: 0)
    put("0000644", at: 100)
    put(octal(data.count, digits: 11), at: 124)
    put("        ", at: 148)
    put(String(type), at: 156)
    put("ustar\u{0}00", at: 257)
    let sum = header.reduce(0) { $0 + Int($1) }
    put(octal(sum, digits: 6) + "\u{0} ", at: 148)
    return header + data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
  }
}
