internal import CVectorIntrinsics

/// The factors between two pictures, and what they leave, both ways in one pass over the rows.
///
/// Lane by lane and row after row, so that both ways give the same bits whichever picture comes first.
extension Thumbnail {
  /// The best factors for this picture to be like the other, and the other way round.
  func gains(with other: Thumbnail, least: Float) -> (here: Float, there: Float) {
    let (rows, others) = (rows.span, other.rows.span)
    precondition(rows.count == others.count, "\(rows.count) rows with \(others.count)")
    var (both, own) = (Row.zero, Row.zero)
    var (bothBack, ownBack) = (Row.zero, Row.zero)
    for index in 0..<rows.count {
      let (row, otherRow) = (rows[index], others[index])
      // What is white says nothing of the factor; a little, in case there is nothing else.
      let isClear = row .< 235 .& otherRow .< 235
      let weight = Row(repeating: 0.001).replacing(with: 1.001, where: isClear)
      let (weighted, otherWeighted) = (weight * row, weight * otherRow)
      both += weighted * otherRow
      own += weighted * row
      bothBack += otherWeighted * row
      ownBack += otherWeighted * otherRow
    }
    func gain(_ both: Row, _ own: Row) -> Float {
      min(1 / least, max(least, both.sum() / max(own.sum(), 1e-6)))
    }
    return (gain(both, own), gain(bothBack, ownBack))
  }

  /// The sums of the squares of what the factors leave.
  func squares(
    to other: Thumbnail, _ gains: (here: Float, there: Float)
  ) -> (here: Float, there: Float) {
    let (rows, others) = (rows.span, other.rows.span)
    var (here, there) = (Row.zero, Row.zero)
    for index in 0..<rows.count {
      let left = Self.rest(rows[index], others[index], gain: gains.here)
      let back = Self.rest(others[index], rows[index], gain: gains.there)
      here += left * left
      there += back * back
    }
    return (here.sum(), there.sum())
  }

  /// One row taken from another made brighter, which white stops.
  @inline(__always)
  static func rest(_ row: Row, _ other: Row, gain: Float) -> Row {
    let brighter = row * gain
    // Not by masks: this is what half of all comparing was. No level is below zero.
    let white = SIMD8<Float>(repeating: 255)
    return Row(
      lowHalf: _mm256_min_ps(brighter.lowHalf, white),
      highHalf: _mm256_min_ps(brighter.highHalf, white)) - other
  }
}
