import ImageCodec

/// What a caption claims, read from its words alone.
struct CaptionClaims {
  struct Thing {
    var size: String
    var colour: String
    var kind: String
    /// The side at which it is said to lie.
    var side: String?
  }
  var things: [Thing] = []
  /// Two colours and how the first lies to the second.
  var relation: (first: String, words: String, second: String)?

  /// Reads the grammar backwards without its code.
  init(_ caption: String) {
    let words = caption.split { !$0.isLetter }.map(String.init)
    let kinds: Set = ["circle", "square", "triangle", "cross"]
    var ends: [Int] = []
    for (index, word) in words.enumerated() where kinds.contains(word) && index >= 2 {
      things.append(Thing(size: words[index - 2], colour: words[index - 1], kind: word))
      ends.append(index)
    }
    let sides: Set = ["left", "right", "top", "bottom"]
    for (index, word) in words.enumerated() {
      let next = index + 1 < words.count ? words[index + 1] : ""
      if (sides.contains(word) && next == "of") || word == "above" || word == "below",
        let before = ends.lastIndex(where: { $0 < index }),
        let after = ends.firstIndex(where: { $0 > index })
      {
        relation = (things[before].colour, word, things[after].colour)
      } else if sides.contains(word) {
        // The side is said of the thing before it, or of the first when it opens the caption.
        things[ends.lastIndex { $0 < index } ?? 0].side = word
      }
    }
  }
}

/// What is to be seen of one hue in a picture, measured from its pixels.
struct SeenShape {
  var size: String
  var kind: String
  /// The middle of its bounding box as shares of the picture.
  var x: Double
  var y: Double

  private static let hues: [String: SIMD3<Double>] = [
    "red": [219, 38, 38], "green": [38, 168, 61], "blue": [41, 77, 222],
    "yellow": [242, 217, 36], "purple": [145, 46, 179], "orange": [247, 135, 23],
  ]

  /// Nil when the hue is not there.
  init?(_ colour: String, in picture: RGBImage) {
    guard let hue = Self.hues[colour] else { return nil }
    let side = picture.width
    var perRow = [Int](repeating: 0, count: side)
    var perColumn = [Int](repeating: 0, count: side)
    var area = 0
    var sumOfRows = 0
    for y in 1..<side - 1 {
      for x in 1..<side - 1 where Self.blurred(picture, x, y).isNear(hue) {
        perRow[y] += 1
        perColumn[x] += 1
        area += 1
        sumOfRows += y
      }
    }
    guard let top = perRow.firstIndex(where: { $0 > 1 }),
      let bottom = perRow.lastIndex(where: { $0 > 1 }),
      let left = perColumn.firstIndex(where: { $0 > 1 }),
      let right = perColumn.lastIndex(where: { $0 > 1 }), area > side * side / 200
    else { return nil }
    let width = Double(right - left + 1)
    let height = Double(bottom - top + 1)
    let fill = Double(area) / (width * height)
    let middle = (Double(sumOfRows) / Double(area) - Double(top)) / height
    // Squares fill their box, circles π/4 of it, crosses 0.56, triangles half and bottom-heavy.
    kind = fill > 0.88 ? "square" : fill > 0.68 ? "circle" : middle > 0.58 ? "triangle" : "cross"
    // Small shapes are at most 8.1 of 32 pixels wide, large ones at least 9.5.
    size = max(width, height) / Double(side) * 32 < 8.8 ? "small" : "large"
    x = Double(left + right + 1) / 2 / Double(side)
    y = Double(top + bottom + 1) / 2 / Double(side)
  }

  var side: String {
    let dx = x - 0.5
    let dy = y - 0.5
    return abs(dx) > abs(dy) ? (dx < 0 ? "left" : "right") : (dy < 0 ? "top" : "bottom")
  }

  /// The mean over 3 × 3 pixels: a third of the noise.
  private static func blurred(_ picture: RGBImage, _ x: Int, _ y: Int) -> SIMD3<Double> {
    var sum = SIMD3<Double>(repeating: 0)
    for j in y - 1...y + 1 {
      for i in x - 1...x + 1 {
        let at = (j * picture.width + i) * 3
        sum += SIMD3(
          Double(picture.pixels[at]), Double(picture.pixels[at + 1]),
          Double(picture.pixels[at + 2]))
      }
    }
    return sum / 9
  }
}

extension SIMD3<Double> {
  func isNear(_ other: Self) -> Bool {
    let apart = self - other
    return (apart * apart).sum() < 55 * 55
  }
}
