import CaptionMatching
import Deduplication
import DurableFiles
import Foundation
import PictureIndex
import Testing

@Suite struct IndexDamageTests {
  @Test("every index of a run is read whole, and the damaged one is named")
  func all() throws {
    let folder = NSTemporaryDirectory() + "damage-\(UUID().uuidString)"
    try DurableFile.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in ["pictures.index", "pairs.index"] {
      let index = try PictureIndex("\(folder)/\(name)", isWritable: true)
      try index.append(
        [PictureEntry(uid: Name128(high: 1, low: 2), row: 0, digest: nil, signature: nil)],
        batch: 0)
    }
    let captions = try CaptionIndex(
      "\(folder)/captions.index", similarity: 0.8, isWritable: true)
    try captions.append([.init(row: 0, caption: "a cat on a mat in a flat")], batch: 0)
    #expect(IndexDamage.all(in: folder) == [])
    for name in ["captions.index", "pairs.index", "pictures.index"] {
      let path = "\(folder)/\(name)"
      let whole = try DurableFile.read(path)
      var bytes = whole
      // Behind the head and the first record: in the segment itself.
      bytes[bytes.count / 2] ^= 1
      try DurableFile.write(bytes, to: path)
      #expect(IndexDamage.all(in: folder).map(\.file) == [name])
      try DurableFile.write(whole, to: path)
    }
    #expect(IndexDamage.all(in: folder) == [])
  }
}
