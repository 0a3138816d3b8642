import HammingSearch
import SegmentFile

extension PictureIndex {
  /// Reads every byte and checks what can be.
  ///
  /// - Throws: What is damaged: `SegmentFileError` where bytes are not those that were written,
  ///   ``PictureIndexError`` where what was written is no index.
  public func verify() throws {
    try file.verify()
    var chain = ContentChain()
    for segment in segments {
      segment.withRecords(0..<segment.count) { chain.append($0) }
      guard chain.chain == segment.chain, chain.hash == segment.hash else {
        throw PictureIndexError(.damaged("hashes of a segment"), path: path)
      }
      try verify(segment)
    }
  }

  private func verify(_ segment: PictureSegment) throws {
    let layout = segment.layout
    let damage: String? = segment.bytes.withBytes { bytes in
      for index in 0..<segment.count
      where !EntryRecord.isSound(at: segment.place(of: index), in: bytes) {
        return "entries of a segment"
      }
      guard DigestTable.isSound(bytes, layout) else { return "digests of a segment" }
      let tables = bytes.extracting(layout.wordTables..<layout.byteCount)
      var index = 0
      for entry in 0..<segment.count {
        guard let key = EntryRecord.key(at: segment.place(of: entry), in: bytes) else { continue }
        guard index < layout.keys,
          WordTables.holds(key, id: UInt32(entry), at: index, of: layout.keys, in: tables)
        else { return "tables of a segment" }
        index += 1
      }
      guard index == layout.keys, WordTables.isSound(tables, count: layout.keys) else {
        return "tables of a segment"
      }
      return nil
    }
    if let damage { throw PictureIndexError(.damaged(damage), path: path) }
  }
}
