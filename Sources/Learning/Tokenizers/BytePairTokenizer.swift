/// CLIP's byte-pair encoding: text to token ids, as open_clip's `SimpleTokenizer` gives them.
///
/// A table of `m` merges gives 512 + m + 2 ids: bytes, bytes that end a piece, merges, start, end.
/// CLIP's own has 49,408. Text is repaired as ftfy 6.3 does it, and lower-cased, first. Equal to open_clip
/// 3.3 on Python 3.11 (Unicode 14) with the PyPI package regex of November 2026; its Unicode is frozen here.
/// May be used from many threads at once.
///
/// Source: Sennrich, Haddow, Birch 2016 (arXiv:1508.07909); open_clip `tokenizer.py`.
public struct BytePairTokenizer: Sendable {
  private let table: MergeTable
  private let cache = WordCache()

  /// The most ids that ``encode(_:)`` gives, start and end included.
  public let contextLength: Int

  /// Whether a caption may not hold the special ids.
  ///
  /// `false`, as in open_clip: `<end_of_text>` inside a caption becomes the end id, and the model
  /// reads no further. `true`: the string is encoded as the text that it is.
  public var escapesSpecialTokens = false

  /// CLIP's tokenizer: 49,408 ids; the model reads 77 of them at most.
  public static func clip(contextLength: Int = 77) throws -> BytePairTokenizer {
    try BytePairTokenizer(mergesText: BundledText.clipMerges(), contextLength: contextLength)
  }

  /// A tokenizer over a table in the format of `bpe_simple_vocab_16e6.txt`.
  ///
  /// A header line with `#version`, then two symbols per line; the first 48,894 merges are read.
  ///
  /// - Throws: ``TokenizerError`` with the line.
  public init(mergesText: String, contextLength: Int = 77) throws {
    self.init(try MergeTable(text: mergesText), contextLength: contextLength)
  }

  init(_ table: MergeTable, contextLength: Int) {
    precondition(contextLength >= 2, "contextLength \(contextLength) has no room for start and end")
    self.table = table
    self.contextLength = contextLength
  }

  /// The table of merges, as ``init(mergesText:contextLength:)`` reads it.
  public var mergesText: String { table.text }

  public var vocabularySize: Int { table.symbolCount + 2 }
  public var startToken: Int32 { Int32(table.symbolCount) }
  public var endToken: Int32 { Int32(table.symbolCount) + 1 }

  /// Start, the ids of `text`, end; cut to ``contextLength`` with the end kept; not padded.
  public func encode(_ text: String) -> [Int32] {
    var ids: [Int32] = []
    ids.reserveCapacity(min(contextLength, 32))
    ids.append(startToken)
    let cleaned = TextCleaning.cleaned(text)
    for piece in PieceSplitter(cleaned, keepsSpecials: !escapesSpecialTokens) {
      if ids.count >= contextLength { break }
      if let special = piece.special {
        ids.append(startToken + Int32(special))
      } else {
        cache.append(idsOf: piece.bytes, of: cleaned, to: &ids, encode: table.encode)
      }
    }
    if ids.count >= contextLength { ids.removeLast(ids.count - contextLength + 1) }
    ids.append(endToken)
    return ids
  }

  /// The text of `ids`, special ids left out; bytes that are no UTF-8 become U+FFFD.
  public func decode(_ ids: [Int32]) -> String {
    var bytes: [UInt8] = []
    for id in ids where id >= 0 && id < startToken {
      let symbol = table.bytes(of: id)
      bytes += symbol.bytes
      if symbol.endsPiece { bytes.append(UInt8(ascii: " ")) }
    }
    if bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}
