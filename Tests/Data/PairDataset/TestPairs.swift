import PairDataset

enum TestPairs {
  /// A pair whose picture does not compress and has an odd size.
  static func pair(_ number: Int, bytes: Int = 70_001) -> Pair {
    var state = UInt64(number) &+ 1
    let image = (0..<bytes + number).map { _ -> UInt8 in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
    return Pair(
      key: "key\(number)", caption: "Bild Nummer \(number), größer", image: image,
      imageExtension: "jpg", metadata: Array("{\"number\": \(number)}".utf8))
  }
}
