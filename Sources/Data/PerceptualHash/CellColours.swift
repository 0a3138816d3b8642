import ImageCodec

/// The mean colours of 4 × 4 cells of a picture.
///
/// Of 32 × 32 pixels each, or fewer where the picture has no more: colour is smooth, and this costs
/// the same for pictures of every size.
struct CellColours {
  static let side = 4
  private static let samples = 32

  /// Red, green and blue of each cell, row by row, 0 … 255.
  let means: [SIMD4<Double>]

  init(of image: RGBImage) {
    let count = Self.side * Self.samples
    // The pixel in the middle of each of `count` equal parts.
    let columns = (0..<count).map { (2 * $0 + 1) * image.width / (2 * count) * 3 }
    var sums = [SIMD4<Int>](repeating: .zero, count: Self.side * Self.side)
    for sample in 0..<count {
      let row = (2 * sample + 1) * image.height / (2 * count) * image.width * 3
      for cell in 0..<Self.side {
        var (red, green, blue) = (0, 0, 0)
        for column in columns[cell * Self.samples..<(cell + 1) * Self.samples] {
          red += Int(image.pixels[row + column])
          green += Int(image.pixels[row + column + 1])
          blue += Int(image.pixels[row + column + 2])
        }
        sums[sample / Self.samples * Self.side + cell] &+= SIMD4(red, green, blue, 0)
      }
    }
    means = sums.map { SIMD4<Double>($0) / Double(Self.samples * Self.samples) }
  }

  /// The mean colour of the picture.
  var mean: SIMD4<Double> { means.reduce(.zero, +) / Double(means.count) }
}
