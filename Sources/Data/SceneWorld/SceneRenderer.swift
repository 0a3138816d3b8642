public import ImageCodec
import SeededRandom

extension SceneWorld {
  /// A picture of `scene`.
  ///
  /// Places jitter by ±1.5 px of 32, sizes by ±12 %, brightness by ±6 %; edges are smoothed by 4 × 4
  /// samples per pixel; Gaussian noise has σ = 0.05 of full scale. About 40 µs at 32 pixels.
  ///
  /// - Parameters:
  ///   - scene: What to draw; later shapes lie over earlier ones.
  ///   - size: Width and height in pixels.
  ///   - variation: Chooses jitter and noise.
  /// - Returns: `size` × `size` pixels, the same bytes for the same arguments.
  public static func render(_ scene: Scene, size: Int = 32, variation: UInt64) -> RGBImage {
    var random = RandomStream(seed: variation, path: Purpose.drawing.rawValue)
    let ground = SIMD3(scene.background[0], scene.background[1], scene.background[2])
    var canvas = [SIMD3<Double>](repeating: ground, count: size * size)
    for shape in scene.shapes {
      let jitter = SIMD2(
        random.uniform(in: -1.5..<1.5) / 32, random.uniform(in: -1.5..<1.5) / 32)
      let outline = ShapeOutline(
        kind: shape.kind, centre: (shape.position.centre + jitter) * Double(size),
        radius: shape.size.radius * random.uniform(in: 0.88..<1.12) * Double(size))
      let colour = shape.colour.rgb * random.uniform(in: 0.94..<1.06)
      outline.paint(colour, on: &canvas, side: size)
    }
    var pixels = [UInt8](repeating: 0, count: size * size * 3)
    var noise = NoiseSource(random)
    for (index, value) in canvas.enumerated() {
      for channel in 0..<3 {
        let noisy = value[channel] * 255 + noise.next()
        pixels[index * 3 + channel] = UInt8(max(0, min(255, noisy.rounded())))
      }
    }
    return RGBImage(width: size, height: size, pixels: pixels)
  }
}

/// A shape at its place in pixels.
struct ShapeOutline {
  var kind: SceneKind
  var centre: SIMD2<Double>
  /// Half the width.
  var radius: Double

  private static let samples = 4

  /// Lays `colour` over the canvas, each pixel in the measure in which the shape covers it.
  func paint(_ colour: SIMD3<Double>, on canvas: inout [SIMD3<Double>], side: Int) {
    let reach = radius + 1
    let columns = max(0, Int(centre.x - reach))..<min(side, Int(centre.x + reach) + 1)
    let rows = max(0, Int(centre.y - reach))..<min(side, Int(centre.y + reach) + 1)
    let step = 1 / Double(Self.samples)
    for y in rows {
      for x in columns {
        var hits = 0
        for j in 0..<Self.samples {
          let dy = (Double(y) + (Double(j) + 0.5) * step - centre.y) / radius
          for i in 0..<Self.samples {
            let dx = (Double(x) + (Double(i) + 0.5) * step - centre.x) / radius
            if contains(dx, dy) { hits += 1 }
          }
        }
        guard hits > 0 else { continue }
        let cover = Double(hits) * step * step
        let under = canvas[y * side + x]
        canvas[y * side + x] = under + (colour - under) * cover
      }
    }
  }

  /// Whether the point is inside, in units of the radius from the middle, y downwards.
  private func contains(_ x: Double, _ y: Double) -> Bool {
    switch kind {
    case .circle: x * x + y * y <= 1
    case .square: abs(x) <= 0.9 && abs(y) <= 0.9
    // Apex up; the middle of its height lies a little above its centre of mass.
    case .triangle: y <= 0.8 && abs(x) <= (y + 1) * (1 / 1.8)
    case .cross: (abs(x) <= 0.34 && abs(y) <= 1) || (abs(y) <= 0.34 && abs(x) <= 1)
    }
  }
}

/// Gaussian noise, five draws to a random word.
///
/// A table of 4,096 quantiles of the normal distribution takes the place of logarithms and sines:
/// noise is most of a picture's cost. Its tails end at 3.7 σ.
struct NoiseSource {
  private var random: RandomStream
  private var word: UInt64 = 0
  private var left = 0
  private let table: [Double]

  init(_ random: RandomStream) {
    self.random = random
    table = Self.quantiles
  }

  /// A draw with σ = 0.05 · 255.
  mutating func next() -> Double {
    if left == 0 {
      word = random.next()
      left = 5
    }
    let draw = table[Int(word & 4095)]
    word >>= 12
    left -= 1
    return draw
  }

  private static let quantiles: [Double] = (0..<4096).map { index in
    let share = (Double(index) + 0.5) / 4096
    // Rounded to 1/64: how a machine's last bit falls must not reach the pixels.
    return (normalQuantile(share) * 0.05 * 255 * 64).rounded() / 64
  }

  /// The value below which a standard normal draw lies with probability `share`, by bisection.
  private static func normalQuantile(_ share: Double) -> Double {
    var low = -6.0
    var high = 6.0
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if cumulative(middle) < share { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// Φ(x) by its Taylor series around 0: ½ + φ(x)·(x + x³/3 + x⁵/15 + …).
  private static func cumulative(_ x: Double) -> Double {
    var sum = x
    var term = x
    for n in 1..<120 {
      term *= x * x / Double(2 * n + 1)
      sum += term
    }
    return 0.5 + sum * density(x)
  }

  /// φ(x), its exponential by (1 + y/2ⁿ)^(2ⁿ) squared up from a short series: arithmetic only.
  private static func density(_ x: Double) -> Double {
    let y = -x * x / 2 / 1024
    var value = 1 + y * (1 + y / 2 * (1 + y / 3 * (1 + y / 4 * (1 + y / 5))))
    for _ in 0..<10 { value *= value }
    return value * 0.398_942_280_401_432_7
  }
}
