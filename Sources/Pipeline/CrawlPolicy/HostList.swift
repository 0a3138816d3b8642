internal import DurableFiles

/// A set of hosts, by name or with all that is below a name.
///
/// `example.org` means this host; `.example.org` and `*.example.org` mean it and all below it;
/// addresses are written as usual. Case, a trailing dot and Unicode or Punycode do not matter.
///
/// Compact, for millions of entries: names lie one behind the other in one array, with a hash table
/// of 4-byte places: about 1 + length + 8 bytes an entry. A question costs a look-up per label.
public struct HostList: Sendable {
  /// Each a length byte and a name; one that begins with a dot stands for what is below it, too.
  private var names: [UInt8] = []
  /// Places in `names` plus 1, 0 for free; a power of 2, at most 3/4 full.
  private var table: [UInt32] = [UInt32](repeating: 0, count: 16)
  /// How many different entries there are.
  public private(set) var count = 0

  public init() {}

  /// Hosts, or `@PATH` for a file of them as `init(text:name:)` reads it.
  ///
  /// In errors the list is called `name`.
  public init(_ entries: [String], name: String) throws(CrawlPolicyError) {
    for entry in entries {
      if entry.hasPrefix("@") {
        try append(path: String(entry.dropFirst()))
      } else if !insert(entry) {
        throw CrawlPolicyError(.host(PolicyEvidence.cut(entry)), list: name)
      }
    }
  }

  /// Reads a host a line; `#` begins a comment, and empty lines are passed over.
  public init(text: [UInt8], name: String) throws(CrawlPolicyError) {
    try append(text: text, name: name)
  }

  public init(path: String) throws(CrawlPolicyError) { try append(path: path) }

  private mutating func append(path: String) throws(CrawlPolicyError) {
    let text: [UInt8]
    do {
      text = try DurableFile.read(path)
    } catch {
      throw CrawlPolicyError(.file(error), list: path)
    }
    try append(text: text, name: path)
  }

  private mutating func append(text: [UInt8], name: String) throws(CrawlPolicyError) {
    var rest = text[...]
    if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
    var number = 0
    while !rest.isEmpty {
      number += 1
      let line = rest.prefix { $0 != 0x0A }
      rest = rest[line.endIndex...].dropFirst()
      var entry = line.prefix { $0 != UInt8(ascii: "#") }
      if entry.last == 0x0D { entry.removeLast() }
      entry = entry.trimmed
      if entry.isEmpty { continue }
      let host = String(decoding: entry, as: UTF8.self)
      guard insert(host) else {
        throw CrawlPolicyError(.host(PolicyEvidence.cut(host)), list: name, line: number)
      }
    }
  }

  private mutating func insert(_ entry: String) -> Bool {
    let isSuffix = entry.hasPrefix(".") || entry.hasPrefix("*.")
    let bare = isSuffix ? String(entry.drop { $0 == "*" }.dropFirst()) : entry
    guard let host = HostName.normalized(bare) else { return false }
    let name = Array((isSuffix ? "." + host : host).utf8)
    guard name.count <= 255, names.count + 256 < Int(UInt32.max) else { return false }
    if place(of: name[...]) != nil { return true }
    if (count + 1) * 4 > table.count * 3 { grow() }
    let place = names.count
    names.append(UInt8(name.count))
    names += name
    table[slot(of: name[...])] = UInt32(place + 1)
    count += 1
    return true
  }

  /// The entry that a host, without port and in any spelling, falls under; nil for none.
  public func entry(for host: String) -> String? {
    guard count > 0, let normalized = HostName.normalized(host) else { return nil }
    let name = Array(("." + normalized).utf8)
    if let place = place(of: name[1...]) { return entry(at: place) }
    for (index, byte) in name.enumerated() where byte == UInt8(ascii: ".") {
      if let place = place(of: name[index...]) { return entry(at: place) }
    }
    return nil
  }

  public func contains(_ host: String) -> Bool { entry(for: host) != nil }

  private func entry(at place: Int) -> String {
    String(decoding: names[place + 1..<place + 1 + Int(names[place])], as: UTF8.self)
  }

  private func place(of name: ArraySlice<UInt8>) -> Int? {
    let found = table[slot(of: name)]
    return found == 0 ? nil : Int(found) - 1
  }

  /// Where the name's place is kept, or would be.
  private func slot(of name: ArraySlice<UInt8>) -> Int {
    var slot = Self.hash(name) & (table.count - 1)
    while table[slot] != 0 {
      let place = Int(table[slot]) - 1
      if Int(names[place]) == name.count, names[(place + 1)...].starts(with: name) { return slot }
      slot = (slot + 1) & (table.count - 1)
    }
    return slot
  }

  private mutating func grow() {
    table = [UInt32](repeating: 0, count: table.count * 2)
    var place = 0
    while place < names.count {
      let end = place + 1 + Int(names[place])
      var slot = Self.hash(names[place + 1..<end]) & (table.count - 1)
      while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
      table[slot] = UInt32(place + 1)
      place = end
    }
  }

  /// FNV-1a with a final mix; the lists are our user's own, so that no seed is needed.
  private static func hash(_ name: ArraySlice<UInt8>) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    hash = (hash ^ hash >> 32) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: hash >> 20)
  }
}
