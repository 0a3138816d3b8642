/// A picture of 16 × 16 pixels in 118 bytes.
///
/// Brightness in three bits a pixel, between the darkest and the brightest of the picture, with a fixed
/// pattern added before rounding and taken off again after: two copies of a picture round alike, and what
/// rounding loses looks like noise rather than like edges. Colour in five bits for each of 4 × 4 cells.
enum PackedThumbnail {
  static let byteCount = 2 + side * side * 3 / 8 + 2 * CellColours.side * CellColours.side * 5 / 8
  static let side = 16

  private static let steps: Float = 7
  /// A smaller range is drawn no larger, lest noise be taken for content.
  private static let leastRange = 8
  /// Bayer's order of 4 × 4 thresholds, as shares of a step from −1/2 to 1/2.
  private static let pattern: [SIMD16<Float>] = {
    let order: [[Float]] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]
    return order.map { row in
      var lanes = SIMD16<Float>.zero
      for lane in 0..<side { lanes[lane] = (row[lane % 4] + 0.5) / 16 - 0.5 }
      return lanes
    }
  }()

  /// - Parameters:
  ///   - levels: 32 × 32 levels of brightness.
  ///   - colours: Of the same picture.
  /// - Returns: ``byteCount`` bytes: the darkest level, the range, brightness, colour.
  static func bytes(levels: [UInt8], colours: CellColours) -> [UInt8] {
    let rows: [SIMD16<Float>] = (0..<side).map { row in
      var lanes = SIMD16<Float>.zero
      for lane in 0..<side {
        let first = row * 64 + lane * 2
        let sum =
          Int(levels[first]) + Int(levels[first + 1]) + Int(levels[first + 32])
          + Int(levels[first + 33])
        lanes[lane] = Float(sum) / 4
      }
      return lanes
    }
    let low = Int(rows.map { $0.min() }.min() ?? 0)
    let high = Int((rows.map { $0.max() }.max() ?? 0).rounded(.up))
    let range = max(leastRange, high - low)
    var bits = BitWriter([UInt8(low), UInt8(range)])
    for (row, lanes) in rows.enumerated() {
      let places = (lanes - Float(low)) * (steps / Float(range)) + pattern[row % 4]
      let codes = places.rounded(.toNearestOrEven).clamped(
        lowerBound: .zero, upperBound: SIMD16(repeating: steps))
      for lane in 0..<side { bits.append(Int(codes[lane]), width: 3) }
    }
    for colour in colours.means {
      let level = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
      for chroma in [(colour[2] - level) * 0.564, (colour[0] - level) * 0.713] {
        let place = ((chroma + 128) / 256 * 31).rounded(.toNearestOrEven)
        bits.append(Int(min(31, max(0, place))), width: 5)
      }
    }
    return bits.bytes
  }

  /// Whether a packed picture is of one colour: its brightness within two levels, which is what rounding
  /// and compression leave, and its cells alike.
  static func isEven(_ bytes: ArraySlice<UInt8>) -> Bool {
    var bits = BitReader(bytes)
    _ = bits.next(width: 8)
    guard bits.next(width: 8) == leastRange else { return false }
    // Of a smaller range than the least: what the pattern makes of one level, and of the next.
    for row in 0..<side {
      for half in 0..<2 {
        let word = bits.next(width: 24)
        for lane in 0..<8 {
          let code = Float(word >> (21 - 3 * lane) & 7)
          let level = (code - pattern[row % 4][half * 8 + lane]) * Float(leastRange) / steps
          if level > 2.5 { return false }
        }
      }
    }
    let first = (bits.next(width: 5), bits.next(width: 5))
    for _ in 1..<CellColours.side * CellColours.side
    where (bits.next(width: 5), bits.next(width: 5)) != first {
      return false
    }
    return true
  }

  /// Red, green and blue of a packed picture.
  static func pixels(_ bytes: ArraySlice<UInt8>) -> Thumbnail {
    var bits = BitReader(bytes)
    let low = Float(bits.next(width: 8))
    let step = Float(bits.next(width: 8)) / steps
    var levels: [SIMD16<Float>] = []
    levels.reserveCapacity(side)
    for row in 0..<side {
      var codes = SIMD16<Float>.zero
      // Eight codes are three bytes.
      for half in 0..<2 {
        let word = bits.next(width: 24)
        for lane in 0..<8 { codes[half * 8 + lane] = Float(word >> (21 - 3 * lane) & 7) }
      }
      levels.append(((codes - pattern[row % 4]) * step + low).clamped(to: 255))
    }
    var (red, green, blue): ([SIMD16<Float>], [SIMD16<Float>], [SIMD16<Float>]) = ([], [], [])
    red.reserveCapacity(side)
    green.reserveCapacity(side)
    blue.reserveCapacity(side)
    for cellRow in 0..<CellColours.side {
      var (cb, cr) = (SIMD16<Float>.zero, SIMD16<Float>.zero)
      for cell in 0..<CellColours.side {
        let (b, r) = (chroma(bits.next(width: 5)), chroma(bits.next(width: 5)))
        for lane in cell * 4..<cell * 4 + 4 { (cb[lane], cr[lane]) = (b, r) }
      }
      for level in levels[cellRow * 4..<cellRow * 4 + 4] {
        let r = level + cr * (1 / 0.713)
        let b = level + cb * (1 / 0.564)
        red.append(r.clamped(to: 255))
        green.append(((level - r * 0.299 - b * 0.114) * (1 / 0.587)).clamped(to: 255))
        blue.append(b.clamped(to: 255))
      }
    }
    return Thumbnail(levels: levels, rows: red + green + blue)
  }

  private static func chroma(_ code: Int) -> Float { Float(code) / 31 * 256 - 128 }
}

extension SIMD16<Float> {
  /// By masks: the library's `clamped` goes lane by lane, at five times the cost.
  @inline(__always)
  func clamped(to most: Float) -> Self {
    let positive = replacing(with: 0, where: self .< 0)
    return positive.replacing(with: most, where: positive .> most)
  }
}

/// Numbers of a few bits, the highest bit first.
struct BitWriter {
  private(set) var bytes: [UInt8]
  private var pending = 0
  private var count = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func append(_ value: Int, width: Int) {
    pending = pending << width | value
    count += width
    while count >= 8 {
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: pending >> count))
    }
    pending &= (1 << count) - 1
  }
}

/// Reads what a ``BitWriter`` wrote; the caller knows how much that is.
struct BitReader {
  private let bytes: ArraySlice<UInt8>
  private var place: Int
  private var pending = 0
  private var count = 0

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    place = bytes.startIndex
  }

  mutating func next(width: Int) -> Int {
    while count < width {
      pending = (pending & ((1 << count) - 1)) << 8 | Int(bytes[place])
      place += 1
      count += 8
    }
    count -= width
    return (pending >> count) & ((1 << width) - 1)
  }
}
