/// The word by which a picture is searched whose pHash is chance.
///
/// A bit of a pHash says whether a coefficient is above the median. Where most coefficients are near
/// zero, as those of a page with a line of text, a flag or a pattern of stripes are, rounding and
/// compression decide. This code says of a coefficient whether it is clearly positive, clearly negative or
/// neither, so that what is near zero stays so. The mean colour tells pictures of one colour apart.
///
/// The highest bit is 0, as it is in a pHash of nothing but black pictures; then 24 coefficients of two bits
/// (positive, negative), from the lowest frequency on; then a thermometer of five degrees for each of red, green
/// and blue, so that the bits that differ grow with the distance of colours.
enum FlatKey {
  private static let coefficients = 24
  private static let degrees = 5
  /// Three grey levels of noise, in units of ``LowFrequencies``.
  private static let leastSize = 200.0
  /// The share of the root mean square of all coefficients that is clearly more than zero.
  private static let leastShare = 0.2

  /// Places in the table of coefficients without frequency zero, diagonal by diagonal.
  private static let places: [Int] = {
    let side = LowFrequencies.side
    let all = (0..<side * side).sorted { a, b in
      (a / side + a % side, a / side) < (b / side + b % side, b / side)
    }
    return Array(all[1...coefficients])
  }()

  static func key(of frequencies: LowFrequencies, colour: SIMD4<Double>) -> UInt64 {
    let values = frequencies.coefficients.map { $0 / 1e6 }
    let squares = values.dropFirst().reduce(0) { $0 + $1 * $1 }
    let size = max(leastSize, leastShare * (squares / Double(values.count - 1)).squareRoot())
    var key: UInt64 = 0
    func append(_ bit: Bool) { key = key << 1 | (bit ? 1 : 0) }
    for place in places {
      append(values[place] > size)
      append(values[place] < -size)
    }
    for channel in 0..<3 {
      for degree in 0..<degrees {
        append(colour[channel] > 255 * (Double(degree) + 0.5) / Double(degrees))
      }
    }
    return key
  }
}
