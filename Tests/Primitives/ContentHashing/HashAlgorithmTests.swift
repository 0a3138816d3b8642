import ContentHashing
import Testing

@Suite struct HashAlgorithmTests {
  @Test(
    "digests of RFC 1321's and FIPS 180-4's example",
    arguments: [
      (HashAlgorithm.md5, "900150983cd24fb0d6963f7d28e17f72"),
      (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        .sha512,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
          + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
      ),
    ])
  func examples(algorithm: HashAlgorithm, digest: String) {
    #expect(algorithm.hexDigest(of: Array("abc".utf8)) == digest)
    #expect(HashAlgorithm(digits: digest.utf8.count) == algorithm)
  }

  @Test("no algorithm has digests of another length")
  func otherLengths() {
    #expect(HashAlgorithm(digits: 40) == nil)
    #expect(HashAlgorithm(digits: 0) == nil)
  }
}
