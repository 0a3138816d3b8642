import ImageCodec

/// The parts of a chunk that are worked on between two writes.
///
/// A part's pictures are in memory together, so their sum is bounded too, as well as can be told before
/// they are decoded.
package enum DecodeBlocks {
  package static let mostRows = 256
  package static let mostBytes = 64 << 20

  /// - Parameter weights: The bytes that each row's picture may take.
  /// - Returns: Ranges that follow each other, of up to ``mostRows`` rows and ``mostBytes``; a row that is
  ///   larger stands alone.
  package static func ranges(of weights: [Int]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var (start, sum) = (0, 0)
    for (index, weight) in weights.enumerated() {
      if index > start, index - start == mostRows || sum + weight > mostBytes {
        ranges.append(start..<index)
        (start, sum) = (index, 0)
      }
      sum += weight
    }
    if start < weights.count { ranges.append(start..<weights.count) }
    return ranges
  }

  /// About the most bytes that what is kept of a body takes.
  ///
  /// An encoder takes a byte a pixel, and three without loss; what is not resized and was a JPEG becomes
  /// about eight times as long without loss.
  package static func weight(ofBody length: Int, _ options: DecodeOptions) -> Int {
    if options.disableAllReencoding { return length }
    let isLossless: Bool =
      switch options.encodeFormat {
      case .jpg: false
      case .png: true
      case .webp: options.encodeQuality > 100
      }
    if options.resizeMode == .no { return isLossless ? 8 * length : length }
    let pixels = options.imageSize * options.imageSize
    // A picture that is small already may stay as it is.
    return max(length, isLossless ? 3 * pixels : pixels)
  }
}
