import ContentHashing
import Testing

@Suite struct GitBlobHashTests {
  @Test(
    "names of bytes are those of git hash-object, at once and in pieces",
    arguments: [
      ("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
      ("hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
    ])
  func examples(text: String, name: String) {
    let bytes = Array(text.utf8)
    var hash = GitBlobHash(byteCount: bytes.count)
    hash.update(Array(bytes.prefix(2)))
    hash.update(Array(bytes.dropFirst(2)))
    #expect(hash.hexDigest() == name)
  }
}
