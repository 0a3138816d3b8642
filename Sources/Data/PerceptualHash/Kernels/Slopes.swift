/// How a picture changes across and down: to first order, what a small shift or zoom adds to it.
///
/// A copy that was cropped by a few hundredths shows the same, a fraction of a pixel away. That adds the
/// slope times the shift, and for a zoom times the place; least squares finds the four shares.
struct Slopes: Sendable {
  typealias Row = Thumbnail.Row

  /// The farthest that a copy's pixels may lie from their places, in pixels of the thumbnail.
  static let mostShift: Float = 0.75
  /// Against shifts made up out of noise: the square of a slope of two grey levels, at every pixel.
  private static let leastSlope: Float = 768 * 4

  /// Columns as places from −1 to 1.
  private static let places: Row = {
    var lanes = Row.zero
    for lane in 0..<Row.scalarCount { lanes[lane] = (Float(lane) - 7.5) / 8 }
    return lanes
  }()

  /// Half the difference of both neighbours, for every row; the edge goes on outside.
  private let across: [Row]
  private let down: [Row]
  /// The normal equations, eliminated without pivots, for they are positive definite.
  private var system = InlineArray<4, SIMD4<Float>>(repeating: .zero)
  /// By which the rows above were taken from each row.
  private var factors = InlineArray<4, SIMD4<Float>>(repeating: .zero)

  init(of picture: Thumbnail) {
    let rows = picture.rows
    let side = PackedThumbnail.side
    var (across, down): ([Row], [Row]) = ([], [])
    across.reserveCapacity(rows.count)
    down.reserveCapacity(rows.count)
    for index in rows.indices {
      let values = rows[index]
      // Written out, as a loop over the lanes costs more than all the rest.
      let left = Row(
        values[0], values[0], values[1], values[2], values[3], values[4], values[5], values[6],
        values[7], values[8], values[9], values[10], values[11], values[12], values[13], values[14])
      let right = Row(
        values[1], values[2], values[3], values[4], values[5], values[6], values[7], values[8],
        values[9], values[10], values[11], values[12], values[13], values[14], values[15],
        values[15])
      let row = index % side
      let above = rows[row == 0 ? index : index - 1]
      let below = rows[row == side - 1 ? index : index + 1]
      across.append((right - left) * 0.5)
      down.append((below - above) * 0.5)
    }
    self.across = across
    self.down = down
    eliminate()
  }

  /// The slopes of a row as they count for shifts; then, for zooms, times the place.
  @inline(__always)
  private static func terms(
    _ x: Row, _ y: Row, _ index: Int, _ places: Row
  ) -> (Row, Row, Row, Row) {
    (x, y, x * places, y * ((Float(index % PackedThumbnail.side) - 7.5) / 8))
  }

  /// The four terms of every row, term by term.
  var terms: [[Row]] {
    let all = across.indices.map { Self.terms(across[$0], down[$0], $0, Self.places) }
    return [all.map(\.0), all.map(\.1), all.map(\.2), all.map(\.3)]
  }

  private mutating func eliminate() {
    let terms = terms
    for first in 0..<4 {
      for second in first..<4 {
        var sum = Row.zero
        for (one, other) in zip(terms[first], terms[second]) { sum += one * other }
        let product = sum.sum()
        (system[first][second], system[second][first]) = (product, product)
      }
      system[first][first] += Self.leastSlope
    }
    for pivot in 0..<4 {
      for row in pivot + 1..<4 {
        let factor = system[row][pivot] / system[pivot][pivot]
        system[row] -= system[pivot] * factor
        factors[row][pivot] = factor
      }
    }
  }

  /// The shares of the four terms that explain most, each within ``mostShift``.
  private func shares(_ products: SIMD4<Float>) -> SIMD4<Float> {
    var target = products
    for pivot in 0..<4 {
      for row in pivot + 1..<4 { target[row] -= target[pivot] * factors[row][pivot] }
    }
    var solution = SIMD4<Float>.zero
    for row in (0..<4).reversed() {
      let known = (system[row] * solution).sum()
      solution[row] = (target[row] - known) / system[row][row]
    }
    return solution.clamped(
      lowerBound: SIMD4(repeating: -Self.mostShift), upperBound: SIMD4(repeating: Self.mostShift))
  }

  /// The eighth mean of what is left of a picture, whose slopes these are, taken from another.
  ///
  /// - Parameters:
  ///   - picture: What these are the slopes of.
  ///   - other: What it is taken from.
  ///   - gain: By which it is made brighter.
  ///   - most: What matters no more.
  /// - Returns: Nil for a mean that is above `most` by more than rounding; maybe not for every such.
  func eighthMean(
    of picture: Thumbnail, to other: Thumbnail, gain: Float, most: Float
  ) -> Float? {
    let (rows, others) = (picture.rows.span, other.rows.span)
    let (across, down) = (across.span, down.span)
    precondition(
      rows.count == others.count && rows.count == across.count,
      "\(rows.count) rows with \(others.count) and slopes of \(across.count)")
    let places = Self.places
    var products = (Row.zero, Row.zero, Row.zero, Row.zero)
    for index in 0..<rows.count {
      let rest = Thumbnail.rest(rows[index], others[index], gain: gain)
      let terms = Self.terms(across[index], down[index], index, places)
      products.0 += terms.0 * rest
      products.1 += terms.1 * rest
      products.2 += terms.2 * rest
      products.3 += terms.3 * rest
    }
    let shares = shares(
      SIMD4(products.0.sum(), products.1.sum(), products.2.sum(), products.3.sum()))
    let count = Float(rows.count * Row.scalarCount)
    let square = most * most
    let limit = square * square * square * square * count * 1.001
    var sum = Row.zero
    for index in 0..<rows.count {
      var rest = Thumbnail.rest(rows[index], others[index], gain: gain)
      let terms = Self.terms(across[index], down[index], index, places)
      rest -= terms.0 * shares[0]
      rest -= terms.1 * shares[1]
      rest -= terms.2 * shares[2]
      rest -= terms.3 * shares[3]
      let square = rest * rest
      let fourth = square * square
      sum += fourth * fourth
      // The sum only grows, rounded or not.
      if index % 8 == 7, sum.sum() > limit { return nil }
    }
    // By square roots alone, which are rounded alike on every machine.
    return (sum.sum() / count).squareRoot().squareRoot().squareRoot()
  }
}
