/// How a stored picture is turned to stand upright: the values of EXIF's Orientation tag.
///
/// CIPA DC-008 §4.6.5.1.6: where the stored row 0 and column 0 are to be seen.
enum Orientation: Int {
  case upright = 1
  case mirrored, halfTurn, flipped
  /// Mirrored along the main diagonal, and so on clockwise; width and height change places.
  case transposed, quarterTurn, transversed, threeQuarterTurn

  var swapsSides: Bool { rawValue >= 5 }
}

extension RGBImage {
  /// The picture upright.
  func upright(_ orientation: Orientation) -> RGBImage {
    if orientation == .upright { return self }
    let (columns, rows) = orientation.swapsSides ? (height, width) : (width, height)
    // The result's pixel (x, y) is the stored one at `first + x * right + y * down`.
    let (lastColumn, lastRow) = ((width - 1) * 3, (height - 1) * width * 3)
    let (pixel, row) = (3, width * 3)
    let (first, right, down) =
      switch orientation {
      case .upright: (0, pixel, row)
      case .mirrored: (lastColumn, -pixel, row)
      case .halfTurn: (lastColumn + lastRow, -pixel, -row)
      case .flipped: (lastRow, pixel, -row)
      case .transposed: (0, row, pixel)
      case .quarterTurn: (lastRow, -row, pixel)
      case .transversed: (lastColumn + lastRow, -row, -pixel)
      case .threeQuarterTurn: (lastColumn, row, -pixel)
      }
    let count = pixels.count
    let made = unsafe [UInt8](unsafeUninitializedCapacity: count) { room, filled in
      unsafe pixels.withUnsafeBufferPointer { source in
        // Squares keep both sides of a turn in the cache.
        let tile = orientation.swapsSides ? 32 : max(columns, 1)
        for top in stride(from: 0, to: rows, by: tile) {
          for left in stride(from: 0, to: columns, by: tile) {
            for y in top..<min(rows, top + tile) {
              var target = (y * columns + left) * 3
              var at = first + left * right + y * down
              for _ in left..<min(columns, left + tile) {
                // Safe: the walk above visits each stored pixel once.
                unsafe room[target] = source[at]
                unsafe room[target + 1] = source[at + 1]
                unsafe room[target + 2] = source[at + 2]
                target += 3
                at += right
              }
            }
          }
        }
      }
      filled = count
    }
    return RGBImage(width: columns, height: rows, pixels: made)
  }
}
