import ContentHashing
import Testing

@Suite struct ContentHashTests {
  @Test("SHA-256 of the examples of FIPS 180-4, at once and in pieces")
  func examples() {
    #expect(
      ContentHash.sha256Hex(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    var hash = ContentHash()
    hash.update(Array("a".utf8))
    hash.update([])
    hash.update(Array("bc".utf8))
    #expect(hash.digest() == ContentHash.sha256(Array("abc".utf8)))
    #expect(
      ContentHash().hexDigest()
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }
}
