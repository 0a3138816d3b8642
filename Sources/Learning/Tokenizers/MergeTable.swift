/// The symbols of a byte-pair encoding and the pairs that make them.
///
/// A symbol is its token id: 256 bytes in the table's order, the same 256 at the end of a piece, then
/// one symbol per merge. The order of the bytes, and their printable spelling in the text form, are
/// those of GPT-2 and CLIP (`bytes_to_unicode`).
struct MergeTable: Sendable {
  /// The most merges that OpenAI's tokenizer reads of a file: 49,152 − 256 − 2.
  static let mostMerges = 48_894
  static let byteSymbols = 512

  /// What was joined, by rank; merge `r` makes symbol 512 + r.
  private(set) var merges: [(left: Int32, right: Int32)] = []
  /// The rank of a pair.
  private var ranks: [UInt64: Int32] = [:]
  /// The text form of every symbol, `</w>` included.
  private(set) var spellings: [String]
  private var symbols: [String: Int32] = [:]

  /// The bytes by symbol, and the symbol by byte.
  private static let byteOfSymbol: [UInt8] = {
    let printable = Array(33...126) + Array(161...172) + Array(174...255)
    return (printable + (0...255).filter { !printable.contains($0) }).map { UInt8($0) }
  }()
  private static let symbolOfByte: [Int32] = {
    var symbols = [Int32](repeating: 0, count: 256)
    for (symbol, byte) in byteOfSymbol.enumerated() { symbols[Int(byte)] = Int32(symbol) }
    return symbols
  }()

  /// The table without merges.
  init() {
    let bytes = Self.byteOfSymbol.enumerated().map { index, byte in
      // The 68 bytes that do not print are spelled by scalars from U+0100 on.
      String(Character(Unicode.Scalar(UInt16(index < 188 ? Int(byte) : 256 + index - 188)) ?? " "))
    }
    spellings = bytes + bytes.map { $0 + "</w>" }
    for (index, spelling) in spellings.enumerated() { symbols[spelling] = Int32(index) }
  }

  /// Reads a header line, then `left right` per line, in order of rank.
  ///
  /// Reading stops after 48,894 merges, as OpenAI's does: its file holds more.
  init(text: String) throws(TokenizerError) {
    self.init()
    var number = 0
    for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      if number == 1 {
        guard String(Substring(line)).contains("#version") else {
          throw TokenizerError(.noHeader, line: 1)
        }
        continue
      }
      if merges.count == Self.mostMerges || line.isEmpty { break }
      let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw TokenizerError(.malformed, line: number) }
      let spellings = parts.map { String(Substring($0)) }
      for spelling in spellings where symbols[spelling] == nil {
        throw TokenizerError(.unknownSymbol(spelling), line: number)
      }
      guard let left = symbols[spellings[0]], let right = symbols[spellings[1]],
        append(left, right)
      else { throw TokenizerError(.repeated(spellings.joined()), line: number) }
    }
    guard number > 0 else { throw TokenizerError(.noHeader, line: 1) }
  }

  /// The text form, as ``init(text:)`` reads it.
  ///
  /// No line break at the end: open_clip would take an empty last line for a merge.
  var text: String {
    merges.reduce(into: "#version: 0.2") { text, merge in
      text += "\n" + spellings[Int(merge.left)] + " " + spellings[Int(merge.right)]
    }
  }

  var symbolCount: Int { spellings.count }

  /// Adds the merge of two symbols; `false` if what it makes is there already.
  mutating func append(_ left: Int32, _ right: Int32) -> Bool {
    let spelling = spellings[Int(left)] + spellings[Int(right)]
    guard symbols[spelling] == nil else { return false }
    symbols[spelling] = Int32(spellings.count)
    ranks[Self.key(left, right)] = Int32(merges.count)
    merges.append((left, right))
    spellings.append(spelling)
    return true
  }

  static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// The symbols of a piece before any merge: its bytes, the last one marked as the end.
  static func byteSymbols(of piece: [UInt8]) -> [Int32] {
    var symbols = piece.map { symbolOfByte[Int($0)] }
    if let last = symbols.last { symbols[symbols.count - 1] = last + 256 }
    return symbols
  }

  /// The bytes of a symbol, and whether a piece ends with it.
  func bytes(of symbol: Int32) -> (bytes: [UInt8], endsPiece: Bool) {
    if symbol < 256 { return ([Self.byteOfSymbol[Int(symbol)]], false) }
    if symbol < Self.byteSymbols { return ([Self.byteOfSymbol[Int(symbol) - 256]], true) }
    let merge = merges[Int(symbol) - Self.byteSymbols]
    let right = bytes(of: merge.right)
    return (bytes(of: merge.left).bytes + right.bytes, right.endsPiece)
  }

  /// The rank of the merge of two symbols; nil where they are not merged.
  func rank(_ left: Int32, _ right: Int32) -> Int32? { ranks[Self.key(left, right)] }

  /// Up to here the plain way is the faster one; beyond it would take the square of a piece's length.
  private static let mostPlainBytes = 64

  /// The symbols of a piece after all merges: the pair of lowest rank first, everywhere it stands.
  func encode(_ piece: [UInt8]) -> [Int32] {
    guard piece.count <= Self.mostPlainBytes else { return encodeLong(piece) }
    var symbols = Self.byteSymbols(of: piece)
    let none = Int32.max
    // The rank of the pair that begins at each place.
    var pairRanks = zip(symbols, symbols.dropFirst()).map { ranks[Self.key($0, $1)] ?? none }
    while let lowest = pairRanks.min(), lowest != none {
      var kept = 0
      var index = 0
      while index < symbols.count {
        let isMerged = index < pairRanks.count && pairRanks[index] == lowest
        symbols[kept] = isMerged ? Int32(Self.byteSymbols) + lowest : symbols[index]
        index += isMerged ? 2 : 1
        kept += 1
      }
      symbols.removeLast(symbols.count - kept)
      pairRanks.removeLast(pairRanks.count - max(0, kept - 1))
      for place in pairRanks.indices {
        pairRanks[place] = ranks[Self.key(symbols[place], symbols[place + 1])] ?? none
      }
    }
    return symbols
  }
}
