import Compression

/// The bytes of a list, piece by piece, unpacked where they are gzip or zstd.
///
/// Members and frames may follow one another (RFC 1952 §2.2, RFC 8878 §3.1). Memory: two pieces and
/// the codec's window.
final class ListSource {
  private enum Codec {
    case none
    case gzip(GzipDecoder)
    case zstd(ZstdDecoder)
  }

  static let pieceSize = 256 << 10

  var path: String { file.path }
  private let file: ListFile
  private let codec: Codec
  private var offset = 0
  private var input: ArraySlice<UInt8> = []
  private var isInside = false

  /// - Parameter path: Its content tells whether it is compressed; a name that says so must be right.
  /// - Throws: ``ListError``.
  init(path: String) throws(ListError) {
    file = try ListFile(path: path)
    let magic = try file.read(4, at: 0)
    let name = path.lowercased()
    if name.hasSuffix(".lz4") {
      throw .unreadable(path: path, problem: "lists in LZ4 are not read; pack it with gzip or zstd")
    }
    do throws(CompressionError) {
      if magic.starts(with: [0x1F, 0x8B]) {
        codec = .gzip(try GzipDecoder())
      } else if magic.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
        || (magic.count == 4 && magic[0] & 0xF0 == 0x50 && magic[1...] == [0x2A, 0x4D, 0x18])
      {
        codec = .zstd(try ZstdDecoder())
      } else {
        codec = .none
      }
    } catch {
      throw .unreadable(path: path, problem: error.words)
    }
    switch codec {
    case .gzip where name.hasSuffix(".zst"), .none where name.hasSuffix(".zst"):
      throw .unreadable(path: path, problem: "its name ends in .zst but it is no zstd file")
    case .zstd where name.hasSuffix(".gz"), .none where name.hasSuffix(".gz"):
      throw .unreadable(path: path, problem: "its name ends in .gz but it is no gzip file")
    default: break
    }
  }

  /// Appends the next bytes to `bytes`; false at the end.
  func read(into bytes: inout [UInt8]) throws(ListError) -> Bool {
    if case .none = codec {
      let piece = try file.read(Self.pieceSize, at: offset)
      offset += piece.count
      bytes += piece
      return !piece.isEmpty
    }
    while true {
      if input.isEmpty {
        input = try file.read(Self.pieceSize, at: offset)[...]
        offset += input.count
      }
      if input.isEmpty {
        guard !isInside else { throw damaged("it ends early") }
        return false
      }
      if !isInside {
        // gzip(1) writes whole blocks to tapes, filled up with zeros, and reads them so.
        if case .gzip = codec { input = input.drop { $0 == 0 } }
        if input.isEmpty { continue }
        isInside = true
      }
      let step: DecompressedPiece
      do throws(CompressionError) {
        switch codec {
        case .gzip(let decoder): step = try decoder.decode(input, room: Self.pieceSize)
        case .zstd(let decoder): step = try decoder.decode(input, room: Self.pieceSize)
        case .none: preconditionFailure("a plain list was taken for a compressed one")
        }
      } catch {
        throw damaged(error.words)
      }
      input = input.dropFirst(step.consumed)
      if step.isEnd { isInside = false }
      if !step.content.isEmpty {
        bytes += step.content
        return true
      }
      if step.consumed == 0 && !step.isEnd { throw damaged("no progress") }
    }
  }

  /// Passes over the next `count` bytes of the text.
  func skip(_ count: Int) throws(ListError) -> [UInt8] {
    if case .none = codec {
      offset += count
      return []
    }
    var left = count
    var piece: [UInt8] = []
    while true {
      piece.removeAll(keepingCapacity: true)
      guard try read(into: &piece) else { throw damaged("it ends early") }
      if piece.count >= left { return Array(piece[left...]) }
      left -= piece.count
    }
  }

  private func damaged(_ problem: String) -> ListError {
    .damaged(path: path, offset: offset - input.count, problem: problem)
  }
}

/// The part of a text that a reader looks at: it grows at its end and is given up from its start.
struct TextWindow {
  let source: ListSource
  private(set) var bytes: [UInt8] = []
  /// The place in `bytes` of the first byte that is still wanted.
  var start = 0
  /// The place in the text of `bytes[0]`.
  private(set) var base = 0
  private(set) var isAtEnd = false

  var path: String { source.path }

  /// - Parameters:
  ///   - path: Of a text file, plain or compressed.
  ///   - offset: Bytes into the text at which to begin; at 0 a byte order mark is passed over.
  /// - Throws: ``ListError``, also for UTF-16.
  init(path: String, from offset: Int = 0) throws(ListError) {
    source = try ListSource(path: path)
    if offset > 0 {
      bytes = try source.skip(offset)
      base = offset
      return
    }
    while bytes.count < 64, try refill() {}
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
    if Self.isUTF16(bytes.prefix(64)) {
      throw .unreadable(
        path: path,
        problem: "it is UTF-16; make it UTF-8 with `iconv -f UTF-16 -t UTF-8` and name the result")
    }
  }

  /// Gives up what stands before ``start`` and brings more; false at the end of the text.
  mutating func refill() throws(ListError) -> Bool {
    if isAtEnd { return false }
    if start > 0 {
      bytes.removeFirst(start)
      base += start
      start = 0
    }
    isAtEnd = try !source.read(into: &bytes)
    return !isAtEnd
  }

  /// By its mark, or by ASCII with a zero beside each character.
  private static func isUTF16(_ bytes: ArraySlice<UInt8>) -> Bool {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { return true }
    guard bytes.count >= 8 else { return false }
    return [0, 1].contains { odd in
      bytes.indices.allSatisfy { $0 & 1 == odd ? bytes[$0] == 0 : bytes[$0] != 0 }
    }
  }
}
