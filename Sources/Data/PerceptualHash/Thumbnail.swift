/// A picture of 16 × 16 pixels, and how far it is from another.
struct Thumbnail: Sendable {
  typealias Row = SIMD16<Float>

  /// Rows of red, then green, then blue, 0 … 255.
  let rows: [Row]
  /// The standard deviation of the brightness.
  let contrast: Float

  init(levels: [Row], rows: [Row]) {
    self.rows = rows
    let count = Float(levels.count * Row.scalarCount)
    let mean = levels.reduce(.zero, +).sum() / count
    let squares = levels.reduce(Row.zero) { $0 + ($1 - mean) * ($1 - mean) }.sum()
    contrast = (squares / count).squareRoot()
  }

  /// From here on differences are not taken for larger because there is little contrast.
  private static let fullContrast: Float = 30
  /// Less contrast is noise.
  private static let leastContrast: Float = 4
  /// How much brighter or darker a copy may be, as a share.
  private static let mostGain: Float = 0.4

  /// What differences are divided by: the least contrast of both as a share of the full one.
  static func share(ofContrast contrast: Float) -> Float {
    max(leastContrast, min(fullContrast, contrast)) / fullContrast
  }

  /// The factor that a copy may be darker by; its inverse is what it may be brighter by.
  static func leastGain(share: Float) -> Float { 1 - mostGain * share }

  /// The distance in grey levels, as an eye would weigh it: what stands out counts more than its area.
  ///
  /// The eighth mean of what is left of the differences of all pixels and channels, after the darker one is
  /// made brighter by a factor, and after what shifts and zooms by a fraction of a pixel explain. Where there is
  /// little contrast, little differences count as much as large ones elsewhere, and brightness counts as well.
  ///
  /// - Parameters:
  ///   - other: Another picture.
  ///   - slopes: This one's where they are known already.
  ///   - otherSlopes: The other's.
  ///   - most: What matters no more.
  /// - Returns: Nil for a distance that is above `most` by more than rounding; maybe not for every such.
  func distance(
    to other: Thumbnail, slopes: Slopes? = nil, otherSlopes: Slopes? = nil, most: Float = .infinity
  ) -> Float? {
    let share = Self.share(ofContrast: min(contrast, other.contrast))
    // Clipped white is undone in one direction only.
    let gains = gains(with: other, least: Self.leastGain(share: share))
    let (ours, theirs) = squares(to: other, gains)
    let limit = most * share
    // Where neither direction is better both count, so that the order of the two does not.
    let ourMean =
      ours <= theirs
      ? (slopes ?? Slopes(of: self)).eighthMean(of: self, to: other, gain: gains.here, most: limit)
      : nil
    let theirMean =
      theirs <= ours
      ? (otherSlopes ?? Slopes(of: other))
        .eighthMean(of: other, to: self, gain: gains.there, most: limit)
      : nil
    guard let mean = [ourMean, theirMean].lazy.compactMap({ $0 }).min() else { return nil }
    return mean / share
  }
}
