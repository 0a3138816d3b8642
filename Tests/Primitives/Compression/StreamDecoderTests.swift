import Compression
import Testing

/// Streams that are unpacked piece by piece.
@Suite struct StreamDecoderTests {
  /// The three decoders behind one face.
  enum Format: CaseIterable {
    case gzip, zstd, lz4

    /// A decoder's `decode`, so that the tests are the same for all.
    func open() throws -> (ArraySlice<UInt8>, Int) throws -> DecompressedPiece {
      switch self {
      case .gzip:
        let decoder = try GzipDecoder()
        return { try decoder.decode($0, room: $1) }
      case .zstd:
        let decoder = try ZstdDecoder()
        return { try decoder.decode($0, room: $1) }
      case .lz4:
        let decoder = try LZ4FrameDecoder()
        return { try decoder.decode($0, room: $1) }
      }
    }

    func pack(_ content: [UInt8]) -> [UInt8] {
      switch self {
      case .gzip: BlockCodec.gzip.compress(content)
      case .zstd: BlockCodec.zstd.compress(content)
      case .lz4: LZ4Frame.compress(content)
      }
    }

    /// Two frames by the command-line tools (gzip by Python's zlib): "hello, ", then the name.
    var foreign: (hex: String, text: String) {
      switch self {
      case .gzip:
        (
          "1f8b0800000000000203cb48cdc9c9d75100009956ea11070000001f8b08000000000002034bafca2ce00200"
            + "ff7c5e6105000000", "hello, gzip\n"
        )
      case .zstd:
        (
          "28b52ffd045839000068656c6c6f2c20cfb93e7328b52ffd04682900007a7374640a04f16e3c",
          "hello, zstd\n"
        )
      case .lz4:
        (
          "04224d186440a70700008068656c6c6f2c20000000002ad30f5904224d186440a7040000806c7a340a000000"
            + "00a4d367eb", "hello, lz4\n"
        )
      }
    }
  }

  struct Stalled: Error {}

  /// Unpacks a whole stream and counts the frames that ended in it.
  private func unpack(
    _ format: Format, _ bytes: [UInt8], input: Int, room: Int
  ) throws -> (content: [UInt8], ends: Int, endsWhole: Bool) {
    let decode = try format.open()
    var content: [UInt8] = []
    var ends = 0
    var isWhole = true
    var position = 0
    while true {
      let piece = try decode(bytes[position..<min(bytes.count, position + input)], room)
      #expect(piece.content.count <= room)
      position += piece.consumed
      content += piece.content
      if piece.isEnd { ends += 1 }
      if piece.isEnd || piece.consumed > 0 { isWhole = piece.isEnd }
      if position == bytes.count && piece.content.isEmpty { return (content, ends, isWhole) }
      if piece.consumed == 0 && piece.content.isEmpty && !piece.isEnd { throw Stalled() }
      if position == bytes.count && piece.isEnd { return (content, ends, true) }
    }
  }

  @Test("frames one after the other are all read, whatever the pieces", arguments: Format.allCases)
  func concatenated(format: Format) throws {
    let parts = [Samples.text(50_000), Array("x".utf8), Samples.noise(3_000)]
    let stream = parts.flatMap(format.pack)
    for (input, room) in [(1 << 20, 1 << 20), (7, 4096), (4096, 7), (1, 300)] {
      let result = try unpack(format, stream, input: input, room: room)
      #expect(result.content == parts.flatMap { $0 }, "input \(input), room \(room)")
      #expect(result.ends == 3, "input \(input), room \(room)")
      #expect(result.endsWhole)
    }
  }

  @Test("streams of the command-line tools are read", arguments: Format.allCases)
  func foreign(format: Format) throws {
    let (hex, text) = format.foreign
    let result = try unpack(format, Samples.bytes(hex), input: 5, room: 3)
    #expect(String(decoding: result.content, as: UTF8.self) == text)
    #expect(result.ends == 2)
  }

  @Test("a stream that is cut off never ends whole", arguments: Format.allCases)
  func truncated(format: Format) throws {
    let stream = format.pack(Samples.text(2_000))
    for end in 1..<stream.count {
      let result = try unpack(format, Array(stream[..<end]), input: 1 << 20, room: 1 << 20)
      #expect(result.ends == 0 && !result.endsWhole, "cut at \(end) of \(stream.count)")
    }
  }

  @Test(
    "damage to the content is an error: checksums are verified", arguments: [Format.gzip, .lz4])
  func damaged(format: Format) throws {
    let content = Samples.noise(2_000)
    var stream = format.pack(content)
    stream[stream.count / 2] ^= 1
    #expect(throws: CompressionError.self) {
      _ = try unpack(format, stream, input: 1 << 20, room: 1 << 20)
    }
  }

  @Test("what is no stream of the format is an error", arguments: Format.allCases)
  func foreignBytes(format: Format) {
    #expect(throws: CompressionError.self) {
      _ = try unpack(format, Array("url,caption\n".utf8), input: 100, room: 100)
    }
  }

  @Test("a bomb gives no more than there is room for")
  func bomb() throws {
    for format in Format.allCases {
      let stream = format.pack([UInt8](repeating: 0, count: 1 << 24))
      #expect(stream.count < 1 << 18)
      let piece = try format.open()(stream[...], 1000)
      #expect(piece.content == [UInt8](repeating: 0, count: 1000))
      #expect(!piece.isEnd)
    }
  }
}
