extension Thumbnail {
  /// The farthest that a copy's pixels may lie from their places, in pixels of the thumbnail.
  private static let mostShift: Float = 0.75
  /// Against shifts made up out of noise: the square of a slope of two grey levels, at every pixel.
  private static let leastSlope: Float = 768 * 4

  /// Columns as places from −1 to 1.
  private static let places: Row = {
    var lanes = Row.zero
    for lane in 0..<Row.scalarCount { lanes[lane] = (Float(lane) - 7.5) / 8 }
    return lanes
  }()

  /// What is left of `rest` when this picture may be shifted and zoomed a little along both axes.
  ///
  /// A copy that was cropped by a few hundredths shows the same, a fraction of a pixel away. To first order
  /// that adds the slope times the shift; least squares finds the four shares.
  func aligned(_ rest: [Row]) -> [Row] {
    let slopes = slopes()
    var matrix = [SIMD4<Float>](repeating: .zero, count: 4)
    var target = SIMD4<Float>.zero
    for first in 0..<4 {
      for second in first..<4 {
        let sum = Self.product(slopes[first], slopes[second])
        (matrix[first][second], matrix[second][first]) = (sum, sum)
      }
      matrix[first][first] += Self.leastSlope
      target[first] = Self.product(slopes[first], rest)
    }
    let shares = Self.solve(matrix, target).clamped(
      lowerBound: SIMD4(repeating: -Self.mostShift), upperBound: SIMD4(repeating: Self.mostShift))
    var left = rest
    for (index, slope) in slopes.enumerated() {
      for row in left.indices { left[row] -= slope[row] * shares[index] }
    }
    return left
  }

  /// Of every row the slopes across and down, as they count for shifts; then, for zooms, times the place.
  ///
  /// Half the difference of both neighbours; the edge goes on outside.
  private func slopes() -> [[Row]] {
    let side = PackedThumbnail.side
    var (across, down, widening, heightening): ([Row], [Row], [Row], [Row]) = ([], [], [], [])
    across.reserveCapacity(rows.count)
    down.reserveCapacity(rows.count)
    widening.reserveCapacity(rows.count)
    heightening.reserveCapacity(rows.count)
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
      let (x, y) = ((right - left) * 0.5, (below - above) * 0.5)
      across.append(x)
      down.append(y)
      widening.append(x * Self.places)
      heightening.append(y * Self.places[row])
    }
    return [across, down, widening, heightening]
  }

  private static func product(_ a: [Row], _ b: [Row]) -> Float {
    var sum = Row.zero
    for (one, other) in zip(a, b) { sum += one * other }
    return sum.sum()
  }

  /// The solution of a symmetric, positive definite system, by elimination without pivots.
  private static func solve(_ matrix: [SIMD4<Float>], _ target: SIMD4<Float>) -> SIMD4<Float> {
    var (matrix, target) = (matrix, target)
    for pivot in 0..<4 {
      for row in pivot + 1..<4 {
        let factor = matrix[row][pivot] / matrix[pivot][pivot]
        matrix[row] -= matrix[pivot] * factor
        target[row] -= target[pivot] * factor
      }
    }
    var solution = SIMD4<Float>.zero
    for row in (0..<4).reversed() {
      let known = (matrix[row] * solution).sum()
      solution[row] = (target[row] - known) / matrix[row][row]
    }
    return solution
  }
}
