import ContentHashing

/// What features were made of: the first 128 bits of a SHA-256.
package struct FeatureKey: Hashable, Sendable {
  var high: UInt64
  var low: UInt64

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package init(_ bytes: [UInt8]) {
    let digest = ContentHash.sha256(bytes)
    func word(_ start: Int) -> UInt64 {
      digest[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
    self.init(high: word(0), low: word(8))
  }

  /// Of a caption as the tower reads it, so that captions with the same tokens share their features.
  init(tokens: [Int32]) {
    self.init(
      tokens.flatMap {
        [
          UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8),
          UInt8(truncatingIfNeeded: $0 >> 16),
        ]
      })
  }
}
