/// Why compressed bytes do not unpack, in the library's words.
public struct CompressionError: Error, Sendable, Equatable, CustomStringConvertible {
  public var words: String

  public init(_ words: String) { self.words = words }

  public var description: String { words }
}

/// What one step of unpacking gave.
public struct DecompressedPiece: Sendable, Equatable {
  /// The bytes taken from the input.
  public var consumed: Int
  /// The content they gave.
  public var content: [UInt8]
  /// Whether a frame or member ended here, its checksum verified.
  public var isEnd: Bool

  public init(consumed: Int, content: [UInt8], isEnd: Bool) {
    self.consumed = consumed
    self.content = content
    self.isEnd = isEnd
  }
}

/// What one step of unpacking into given room did.
public struct DecompressionStep: Sendable, Equatable {
  /// The bytes taken from the input.
  public var consumed: Int
  /// The bytes of content that they gave.
  public var written: Int
  /// Whether a frame or member ended here, its checksum verified.
  public var isEnd: Bool

  public init(consumed: Int, written: Int, isEnd: Bool) {
    self.consumed = consumed
    self.written = written
    self.isEnd = isEnd
  }
}
