/// Walks the members of a tar: ustar, pax and GNU long names.
final class TarReader {
  /// A regular file in the archive.
  struct Member {
    var name: String
    var size: Int
    /// Where its first header begins, an extended one included.
    var start: Int
    /// Where its data begins.
    var dataOffset: Int
    /// The frame of a compressed tar in which its data begins.
    var frame: TarFrame?

    /// Where the next member begins.
    var end: Int { dataOffset + TarFormat.padded(size) }
  }

  /// The largest member read into memory, 256 MiB.
  static let maxMember = 1 << 28

  private let stream: TarByteStream
  private let isFragment: Bool
  private var current: Member?

  /// - Parameters:
  ///   - stream: At the start of a member.
  ///   - isFragment: Whether the stream may end without the two zero blocks of a whole archive.
  init(_ stream: TarByteStream, isFragment: Bool = false) {
    self.stream = stream
    self.isFragment = isFragment
  }

  /// The next regular file; nil at the end of the archive.
  ///
  /// - Throws: `truncated`, `badHeader`, `unsafeName` or `unsupported`, or what the stream throws.
  func next() throws(ShardError) -> Member? {
    if let current { try stream.skip(current.end - stream.position) }
    current = nil
    var memberStart = stream.position
    var extended = TarFormat.PaxFields()
    while true {
      let offset = stream.position
      if isFragment, extended == TarFormat.PaxFields(), try stream.isAtEnd() { return nil }
      switch try stream.readHeader() {
      case .end: return nil
      case .bad(let detail):
        throw ShardError(.badHeader(detail), shard: stream.path, offset: offset)
      case .header(let header):
        switch header.kind {
        case .paxHeader:
          let data = try extendedHeader(header, at: offset)
          guard let fields = TarFormat.paxFields(data) else {
            throw ShardError(
              .badHeader("a malformed pax record"), shard: stream.path, offset: offset)
          }
          extended.path = fields.path ?? extended.path
          extended.size = fields.size ?? extended.size
          extended.isSparse = fields.isSparse || extended.isSparse
        case .gnuLongName:
          extended.path = TarFormat.text(try extendedHeader(header, at: offset)[...])
        case .gnuLongLink, .paxGlobalHeader:
          _ = try extendedHeader(header, at: offset)
        case .file, .gnuSparse:
          return try member(header, extended, start: memberStart, headerOffset: offset)
        case .withoutData, .other:
          // What has no data in its header has none by a pax record either.
          let size = header.kind == .other ? extended.size ?? header.size : 0
          try stream.skip(TarFormat.padded(size))
          extended = TarFormat.PaxFields()
          memberStart = stream.position
        }
      }
    }
  }

  private func member(
    _ header: TarFormat.Header, _ extended: TarFormat.PaxFields, start: Int, headerOffset: Int
  ) throws(ShardError) -> Member {
    func refuse(_ reason: ShardError.Reason) -> ShardError {
      ShardError(reason, shard: stream.path, offset: headerOffset)
    }
    let name = extended.path ?? header.name
    guard name.utf8.count <= TarFormat.maxName else {
      throw refuse(.badHeader("a name of \(name.utf8.count) bytes"))
    }
    if let danger = SampleGrouping.danger(of: name) { throw refuse(.unsafeName(name, danger)) }
    if extended.isSparse || header.kind == .gnuSparse {
      throw refuse(.unsupported("a file with holes (\(name)), which tar --sparse makes"))
    }
    let member = Member(
      name: name, size: extended.size ?? header.size, start: start, dataOffset: stream.position,
      frame: stream.frame)
    current = member
    return member
  }

  /// The data of the member that ``next()`` has just given.
  ///
  /// - Throws: `memberTooLarge`, `truncated`, or what the stream throws.
  func data(of member: Member) throws(ShardError) -> [UInt8] {
    guard member.size <= Self.maxMember else {
      throw ShardError(
        .memberTooLarge(name: member.name, bytes: member.size, limit: Self.maxMember),
        shard: stream.path, offset: member.start)
    }
    return try stream.read(member.size)
  }

  private func extendedHeader(_ header: TarFormat.Header, at offset: Int) throws(ShardError)
    -> [UInt8]
  {
    guard header.size <= TarFormat.maxExtendedHeader else {
      throw ShardError(
        .badHeader("an extended header of \(header.size) bytes"), shard: stream.path,
        offset: offset)
    }
    let data = try stream.read(header.size)
    try stream.skip(TarFormat.padded(header.size) - header.size)
    return data
  }
}
