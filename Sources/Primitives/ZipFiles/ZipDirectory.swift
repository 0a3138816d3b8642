/// The table of contents at the end of a ZIP archive, as it stands there.
struct ZipDirectory {
  struct Entry {
    var name: String
    var flags: Int
    var method: Int
    var crc: UInt32
    var storedCount: Int
    var count: Int
    /// Of the member's own header.
    var offset: Int
  }

  var entries: [Entry] = []
  /// Where the table begins, and the members end.
  var start: Int

  private static let entrySignature: UInt64 = 0x0201_4B50
  private static let endSignature: UInt64 = 0x0605_4B50
  private static let end64Signature: UInt64 = 0x0606_4B50
  private static let locatorSignature: UInt64 = 0x0706_4B50
  private static let endBytes = 22
  /// Of the table: a checkpoint of a thousand layers has some 100 kB.
  private static let mostBytes = 256 << 20

  init(_ source: ByteSource) throws(ZipError) {
    func fail(_ problem: String) -> ZipError {
      ZipError(.archive(problem), file: source.name)
    }
    // The end may be followed by a comment of up to 65,535 bytes.
    let tailCount = min(source.size, Self.endBytes + 65_535)
    let tailStart = source.size - tailCount
    let tail = try source.read(tailCount, at: tailStart)
    guard
      let end = stride(from: tailCount - Self.endBytes, through: 0, by: -1).first(where: {
        tail.littleEndian($0, 4) == Self.endSignature
          && $0 + Self.endBytes + Int(tail.littleEndian($0 + 20, 2)) == tailCount
      })
    else { throw fail("its table of contents is missing: the file was cut off") }

    var count = tail.littleEndian(end + 10, 2)
    var bytes = tail.littleEndian(end + 12, 4)
    var offset = tail.littleEndian(end + 16, 4)
    var tableEnd = tailStart + end
    if tableEnd >= 20 {
      let locator = try source.read(20, at: tableEnd - 20)
      if locator.littleEndian(0, 4) == Self.locatorSignature {
        let place = locator.littleEndian(8, 8)
        guard tableEnd >= 76, place <= UInt64(tableEnd - 76) else {
          throw fail("the end of its table of contents is not where the file says")
        }
        let record = try source.read(56, at: Int(place))
        guard record.littleEndian(0, 4) == Self.end64Signature else {
          throw fail("the end of its table of contents is not where the file says")
        }
        (count, bytes, offset) = (
          record.littleEndian(32, 8), record.littleEndian(40, 8), record.littleEndian(48, 8)
        )
        tableEnd = Int(place)
      }
    }
    guard bytes <= Self.mostBytes, offset <= UInt64(tableEnd), bytes == UInt64(tableEnd) - offset
    else { throw fail("its table of contents is not where the file says") }
    guard count <= bytes / 46 else {
      throw fail("\(bytes) bytes of table cannot name \(count) members")
    }
    start = Int(offset)
    let table = try source.read(Int(bytes), at: start)
    var place = 0
    entries.reserveCapacity(Int(count))
    for number in 0..<Int(count) {
      guard let (entry, next) = Self.entry(table, place) else {
        throw fail("entry \(number) of its table of contents is damaged")
      }
      entries.append(entry)
      place = next
    }
    guard place == table.count else { throw fail("its table of contents has bytes left over") }
  }

  /// An entry, and where the next begins; nil where it is damaged.
  private static func entry(_ table: [UInt8], _ place: Int) -> (Entry, Int)? {
    guard table.count - place >= 46, table.littleEndian(place, 4) == entrySignature else {
      return nil
    }
    let nameStart = place + 46
    let extraStart = nameStart + Int(table.littleEndian(place + 28, 2))
    let extraEnd = extraStart + Int(table.littleEndian(place + 30, 2))
    let next = extraEnd + Int(table.littleEndian(place + 32, 2))
    guard next <= table.count else { return nil }
    guard let name = String(validating: table[nameStart..<extraStart], as: UTF8.self) else {
      return nil
    }
    // Of these, those that are all ones stand in the ZIP64 field, in this order.
    var wide = [
      table.littleEndian(place + 24, 4), table.littleEndian(place + 20, 4),
      table.littleEndian(place + 42, 4),
    ]
    if wide.contains(0xFFFF_FFFF) {
      guard let field = field64(table, extraStart, extraEnd) else { return nil }
      var from = field.lowerBound
      for index in wide.indices where wide[index] == 0xFFFF_FFFF {
        guard field.upperBound - from >= 8 else { return nil }
        wide[index] = table.littleEndian(from, 8)
        from += 8
      }
    }
    guard wide.allSatisfy({ $0 < 1 << 62 }) else { return nil }
    return (
      Entry(
        name: name, flags: Int(table.littleEndian(place + 8, 2)),
        method: Int(table.littleEndian(place + 10, 2)),
        crc: UInt32(table.littleEndian(place + 16, 4)), storedCount: Int(wide[1]),
        count: Int(wide[0]), offset: Int(wide[2])), next
    )
  }

  /// The bytes of the extra field with the identity 1.
  private static func field64(_ table: [UInt8], _ start: Int, _ end: Int) -> Range<Int>? {
    var place = start
    while end - place >= 4 {
      let stop = place + 4 + Int(table.littleEndian(place + 2, 2))
      guard stop <= end else { return nil }
      if table.littleEndian(place, 2) == 1 { return place + 4..<stop }
      place = stop
    }
    return nil
  }
}
