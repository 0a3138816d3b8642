import Compression

/// A member of a ZIP archive, its bytes found and within the file.
package struct ZipMember: Sendable {
  package var name: String
  package var isDeflated: Bool
  package var crc: UInt32
  /// The bytes in the file.
  package var start: Int
  package var storedCount: Int
  /// The bytes that they unpack to.
  package var count: Int
}

/// A ZIP archive, read by its table of contents.
///
/// Stored and deflated members, ZIP64, and data descriptors (the table has the sizes). Refused: encrypted
/// members, two of one name, members that share bytes or reach into the table, and sizes that deflate
/// cannot make. Source: PKWARE's APPNOTE.TXT 6.3.
package struct ZipArchive: Sendable {
  package let source: ByteSource
  package let members: [String: ZipMember]
  /// In the order of their bytes.
  package let names: [String]

  static let localSignature: UInt64 = 0x0403_4B50
  /// More unpacked bytes for each packed one than deflate can make.
  private static let mostExpansion = 1032

  /// - Throws: ``ZipError`` for an archive that is damaged or of a kind that is not read.
  package init(_ source: ByteSource) throws(ZipError) {
    self.source = source
    let table = try ZipDirectory(source)
    var members: [ZipMember] = []
    members.reserveCapacity(table.entries.count)
    for entry in table.entries { members.append(try Self.located(entry, table, source)) }
    members.sort { ($0.start, $0.storedCount, $0.name) < ($1.start, $1.storedCount, $1.name) }

    var byName: [String: ZipMember] = [:]
    var covered = 0
    var previous = ""
    for member in members {
      guard byName.updateValue(member, forKey: member.name) == nil else {
        throw ZipError(.archive("two members are named \(member.name)"), file: source.name)
      }
      guard member.start >= covered else {
        throw ZipError(
          .archive("member \(member.name) shares bytes with \(previous)"), file: source.name)
      }
      covered = member.start + member.storedCount
      previous = member.name
    }
    self.members = byName
    names = members.map(\.name)
  }

  /// Finds the bytes of a member behind the copy of its header that stands in front of them.
  private static func located(
    _ entry: ZipDirectory.Entry, _ table: ZipDirectory, _ source: ByteSource
  ) throws(ZipError) -> ZipMember {
    func fail(_ problem: String) -> ZipError {
      ZipError(.archive("member \(entry.name): \(problem)"), file: source.name)
    }
    guard entry.flags & 0x2041 == 0 else { throw fail("it is encrypted") }
    guard entry.method == 0 || entry.method == 8 else {
      throw fail("it is packed by method \(entry.method); stored and deflated ones are read")
    }
    let room = table.start - entry.offset
    guard entry.offset >= 0, room >= 30 else { throw fail("it begins outside the file") }
    let header = try source.read(30, at: entry.offset)
    guard header.littleEndian(0, 4) == localSignature else { throw fail("it has no header") }
    let nameCount = Int(header.littleEndian(26, 2))
    let start = 30 + nameCount + Int(header.littleEndian(28, 2))
    guard start <= room, entry.storedCount <= room - start else {
      throw fail("its \(entry.storedCount) bytes are not within the file")
    }
    guard try source.read(nameCount, at: entry.offset + 30) == Array(entry.name.utf8) else {
      throw fail("its header has another name")
    }
    if entry.method == 0 {
      guard entry.count == entry.storedCount else {
        throw fail("it is stored, and its two sizes differ")
      }
    } else {
      guard entry.count / mostExpansion <= entry.storedCount else {
        throw fail("\(entry.storedCount) bytes cannot unpack to \(entry.count)")
      }
    }
    return ZipMember(
      name: entry.name, isDeflated: entry.method == 8, crc: entry.crc,
      start: entry.offset + start, storedCount: entry.storedCount, count: entry.count)
  }

  /// The unpacked bytes of a member, its checksum compared.
  ///
  /// - Parameters:
  ///   - member: One of ``members``.
  ///   - limit: The most bytes that are taken into memory.
  /// - Returns: Exactly as many bytes as the table of contents says.
  /// - Throws: ``ZipError`` that names the member.
  package func contents(of member: ZipMember, limit: Int = .max) throws(ZipError) -> [UInt8] {
    guard member.count <= limit else {
      throw fail(member, "its \(member.count) bytes are more than the \(limit) that are read")
    }
    let stored = try source.read(member.storedCount, at: member.start)
    guard member.isDeflated else {
      try check(member, CRC32.checksum(stored))
      return stored
    }
    // A member of gzip is a header, what deflate made, the checksum and the length: zlib checks both.
    var packed: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
    packed += stored
    packed.append(littleEndian: member.crc, 4)
    packed.append(littleEndian: UInt32(truncatingIfNeeded: member.count), 4)
    let piece: DecompressedPiece
    do throws(CompressionError) {
      // One byte of room too many tells a longer member from one of this length.
      piece = try GzipDecoder().decode(packed[...], room: member.count + 1)
    } catch {
      throw fail(member, "it cannot be unpacked: \(error)")
    }
    guard piece.isEnd, piece.consumed == packed.count, piece.content.count == member.count else {
      throw fail(member, "it does not unpack to \(member.count) bytes")
    }
    return piece.content
  }

  /// Compares a member's checksum; one of nothing is what torch writes where it was told to make none.
  package func check(_ member: ZipMember, _ crc: UInt32) throws(ZipError) {
    guard member.crc == 0 || member.crc == crc else {
      throw fail(member, "its bytes have another checksum than the file says")
    }
  }

  /// The checksum of a stored member, read piece by piece.
  package func checksum(of member: ZipMember) throws(ZipError) -> UInt32 {
    let piece = 1 << 20
    var sum: UInt32 = 0
    for offset in stride(from: 0, to: member.storedCount, by: piece) {
      let count = min(piece, member.storedCount - offset)
      sum = CRC32.checksum(try source.read(count, at: member.start + offset), after: sum)
    }
    return sum
  }

  private func fail(_ member: ZipMember, _ problem: String) -> ZipError {
    ZipError(.archive("member \(member.name): \(problem)"), file: source.name)
  }
}
