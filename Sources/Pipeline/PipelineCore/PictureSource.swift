public import PairDataset

/// Where the picture of a pair lies that is taken from an existing shard.
public struct PictureSource: Sendable, Equatable {
  /// The path of the tar, plain or compressed.
  public var tar: String
  /// The key of the sample there.
  public var key: String
  /// The picture's bytes in the tar, decompressed.
  public var bytes: ByteRange
  /// The frame of a compressed tar in which they begin, so that what stands before is not unpacked.
  public var frame: TarFrame?

  public init(tar: String, key: String, bytes: ByteRange, frame: TarFrame? = nil) {
    self.tar = tar
    self.key = key
    self.bytes = bytes
    self.frame = frame
  }

  /// The picture.
  ///
  /// Unpacks a compressed tar from the start of the picture's frame. To read many, use one
  /// `TarMemberReader` and ``read(with:)``.
  ///
  /// - Throws: `ShardError` when the tar is gone, cut or damaged.
  public func read() throws(ShardError) -> [UInt8] {
    var reader = TarMemberReader()
    return try read(with: &reader)
  }

  /// The picture; those of a tar in their order cost one pass through it, however it is compressed.
  public func read(with reader: inout TarMemberReader) throws(ShardError) -> [UInt8] {
    try reader.read(tar, offset: bytes.offset, count: bytes.length, from: frame)
  }

  public var json: JSONValue {
    .object(
      [
        .init("tar", .string(tar)), .init("key", .string(key)),
        .init("offset", .int(bytes.offset)), .init("length", .int(bytes.length)),
      ]
        + (frame.map {
          [.init("frame", .array([.int($0.fileOffset), .int($0.tarOffset)]))]
        } ?? []))
  }

  init?(_ json: JSONValue?) {
    guard let json, let tar = json["tar"]?.text, let key = json["key"]?.text,
      let offset = json["offset"]?.integer, let length = json["length"]?.integer,
      offset >= 0, length >= 0
    else { return nil }
    self.init(tar: tar, key: key, bytes: ByteRange(offset: offset, length: length))
    if case .array(let parts)? = json["frame"] {
      guard parts.count == 2, let file = parts[0].integer, let place = parts[1].integer,
        file >= 0, place >= 0, place <= offset
      else { return nil }
      frame = TarFrame(fileOffset: file, tarOffset: place)
    }
  }
}
