import Glibc

// The two behaviours of OpenCV's INTER_AREA.
//
// OpenCV sums in floating point and rounds once; here each pass rounds to 8 bits. The first pass is
// wrong by at most half a level, which the second averages, so that results differ by at most one.
// Source: OpenCV, modules/imgproc/src/resize.cpp, `computeResizeAreaTab` and `cv::hal::resize`.
extension ResampleWeights {
  /// Shrinking: each source pixel counts by how much of it the result pixel covers.
  convenience init(coverageOf axis: ResampleAxis) {
    let scale = 1 / Self.inverseScale(axis)
    let start = Double(axis.start)
    let end = min(Double(axis.sourceSize), Double(axis.end))
    let capacity = Int(ceil(scale)) + 2
    var windows: [Range<Int>] = []
    var values = [Int32](repeating: 0, count: axis.kept.count * capacity)
    var base = 0
    for index in axis.kept {
      let from = start + Double(index) * scale
      let to = from + scale
      let cell = min(scale, end - from)
      let lastWhole = min(Int(to), axis.sourceSize - 1)
      let firstWhole = min(Int(ceil(from)), lastWhole)
      // Slivers of less than a thousandth are left out there too.
      let before = Double(firstWhole) - from
      let after = to - Double(lastWhole)
      let first = before > 1e-3 ? firstWhole - 1 : firstWhole
      var count = 0
      func add(_ share: Double) {
        values[base + count] = Self.fixed(share / cell)
        count += 1
      }
      if before > 1e-3 { add(before) }
      for _ in firstWhole..<lastWhole { add(1) }
      if after > 1e-3 { add(min(min(after, 1), cell)) }
      windows.append(first..<first + count)
      base += capacity
    }
    self.init(windows: windows, capacity: capacity, values: values)
  }

  /// Enlarging along one axis at least: a blend of two neighbours, such that an enlargement by a
  /// whole number repeats pixels.
  convenience init(neighboursOf axis: ResampleAxis) {
    let inverse = Self.inverseScale(axis)
    let scale = 1 / inverse
    var windows: [Range<Int>] = []
    var values = [Int32](repeating: 0, count: axis.kept.count * 2)
    for (row, index) in axis.kept.enumerated() {
      var first = Int(floor(Double(axis.start) + Double(index) * scale))
      // In single precision, as there: 0.99999999 is 1, and 1 is 0.
      let beyond = Float(
        Double(index + 1) - (Double(first + 1) - Double(axis.start)) * inverse)
      var share = beyond <= 0 ? 0 : beyond - floor(beyond)
      if first >= axis.sourceSize - 1 {
        first = axis.sourceSize - 1
        share = 0
      }
      values[row * 2] = Self.fixed(Double(1 - share))
      values[row * 2 + 1] = Self.fixed(Double(share))
      windows.append(first..<min(first + 2, axis.sourceSize))
    }
    self.init(windows: windows, capacity: 2, values: values)
  }

  /// Result pixels for each source pixel.
  ///
  /// OpenCV starts from this ratio: with its very rounding, whole multiples fall on the pixels that
  /// they fall on there.
  private static func inverseScale(_ axis: ResampleAxis) -> Double {
    Double(axis.size) / Double(axis.end - axis.start)
  }
}
