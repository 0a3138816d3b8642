/// A thumbnail in 288 numbers: what it shows but for fine colour, of which it has none.
///
/// Of every pixel its grey, (r + g + b)/√3, and of every 4 × 4 pixels the sums of two colours, (r − g)/√2 and
/// (r + g − 2b)/√6, by 4. These are products with vectors of length 1 at right angles: no vector is longer
/// in these coordinates than it was.
struct PictureCoordinates {
  typealias Row = Thumbnail.Row
  static let count = (PackedThumbnail.side + 2) * Row.scalarCount

  private var rows: [Row]

  /// - Parameter channels: Rows of red, then green, then blue.
  init(of channels: [Row]) {
    let side = PackedThumbnail.side
    precondition(channels.count == 3 * side, "\(channels.count) rows")
    var (first, second) = (Row.zero, Row.zero)
    rows = []
    rows.reserveCapacity(side + 2)
    for cellRow in 0..<CellColours.side {
      var (u, v) = (Row.zero, Row.zero)
      for row in cellRow * 4..<cellRow * 4 + 4 {
        let (red, green, blue) = (channels[row], channels[row + side], channels[row + 2 * side])
        rows.append((red + green + blue) * Float(1 / 3.0).squareRoot())
        u += red - green
        v += red + green - 2 * blue
      }
      for cell in 0..<CellColours.side {
        let lane = cellRow * CellColours.side + cell
        let lanes = SIMD4(4 * cell, 4 * cell + 1, 4 * cell + 2, 4 * cell + 3)
        first[lane] = u[lanes[0]] + u[lanes[1]] + u[lanes[2]] + u[lanes[3]]
        second[lane] = v[lanes[0]] + v[lanes[1]] + v[lanes[2]] + v[lanes[3]]
      }
    }
    rows.append(first * (Float(1 / 2.0).squareRoot() / 4))
    rows.append(second * (Float(1 / 6.0).squareRoot() / 4))
  }

  subscript(place: Int) -> Float { rows[place / Row.scalarCount][place % Row.scalarCount] }

  func product(_ other: PictureCoordinates) -> Float {
    var sum = Row.zero
    for (one, two) in zip(rows, other.rows) { sum += one * two }
    return sum.sum()
  }

  mutating func subtract(_ other: PictureCoordinates, times factor: Float) {
    for index in rows.indices { rows[index] -= other.rows[index] * factor }
  }

  mutating func scale(_ factor: Float) {
    for index in rows.indices { rows[index] *= factor }
  }
}

/// The coordinates of up to sixteen pictures side by side: of each coordinate a lane for every picture.
struct PictureCoordinateBlock: Sendable {
  static let most = Thumbnail.Row.scalarCount

  /// Lanes 0 to 7 and 8 to 15 of each coordinate in turn.
  let halves: [SIMD8<Float>]
  /// The squares of the lengths.
  let squares: Thumbnail.Row
  let contrasts: Thumbnail.Row

  init(_ pictures: [Thumbnail]) {
    precondition(pictures.count <= Self.most, "\(pictures.count) pictures side by side")
    var halves = [SIMD8<Float>](repeating: .zero, count: 2 * PictureCoordinates.count)
    var (squares, contrasts) = (Thumbnail.Row.zero, Thumbnail.Row.zero)
    for (lane, picture) in pictures.enumerated() {
      let coordinates = PictureCoordinates(of: picture.rows)
      for place in 0..<PictureCoordinates.count {
        halves[2 * place + lane / 8][lane % 8] = coordinates[place]
      }
      squares[lane] = coordinates.product(coordinates)
      contrasts[lane] = picture.contrast
    }
    (self.halves, self.squares, self.contrasts) = (halves, squares, contrasts)
  }
}
