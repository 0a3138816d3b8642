/// A picture of 16 × 16 pixels, and how far it is from another.
struct Thumbnail {
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

  /// The distance in grey levels, as an eye would weigh it: what stands out counts more than its area.
  ///
  /// The eighth mean of what is left of the differences of all pixels and channels, after the darker one is
  /// made brighter by a factor, and after what shifts and zooms by a fraction of a pixel explain. Where there is
  /// little contrast, little differences count as much as large ones elsewhere, and brightness counts as well.
  func distance(to other: Thumbnail) -> Float {
    let share =
      max(Self.leastContrast, min(Self.fullContrast, min(contrast, other.contrast)))
      / Self.fullContrast
    let gain = 1 - Self.mostGain * share
    // Clipped white is undone in one direction only.
    let (here, there) = (
      residue(to: other, leastGain: gain), other.residue(to: self, leastGain: gain)
    )
    let (ours, theirs) = (Self.squares(here), Self.squares(there))
    // Where neither direction is better both count, so that the order of the two does not.
    let ourMean = ours <= theirs ? Self.eighthMean(aligned(here)) : .infinity
    let theirMean = theirs <= ours ? Self.eighthMean(other.aligned(there)) : .infinity
    return min(ourMean, theirMean) / share
  }

  /// The other picture taken from this one at the best brightness.
  private func residue(to other: Thumbnail, leastGain: Float) -> [Row] {
    var (both, own) = (Row.zero, Row.zero)
    for index in rows.indices {
      let (row, otherRow) = (rows[index], other.rows[index])
      // What is white says nothing of the factor; a little, in case there is nothing else.
      let isClear = row .< 235 .& otherRow .< 235
      let weight = Row(repeating: 0.001).replacing(with: 1.001, where: isClear)
      both += weight * row * otherRow
      own += weight * row * row
    }
    let gain = min(1 / leastGain, max(leastGain, both.sum() / max(own.sum(), 1e-6)))
    return rows.indices.map { (rows[$0] * gain).clamped(to: 255) - other.rows[$0] }
  }

  private static func squares(_ rest: [Row]) -> Float {
    var sum = Row.zero
    for row in rest { sum += row * row }
    return sum.sum()
  }

  /// By square roots alone, which are rounded alike on every machine.
  private static func eighthMean(_ rest: [Row]) -> Float {
    var sum = Row.zero
    for row in rest {
      let square = row * row
      let fourth = square * square
      sum += fourth * fourth
    }
    let mean = sum.sum() / Float(rest.count * Row.scalarCount)
    return mean.squareRoot().squareRoot().squareRoot()
  }
}
