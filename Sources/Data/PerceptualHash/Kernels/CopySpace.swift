internal import CVectorIntrinsics

/// Where the copies of a picture lie: a space of six directions, and how far beside it they are at most.
///
/// Copies are what the comparison takes for the picture: min(g·p, 255) − Σ sᵢ·Sᵢ, with a gain g and shares
/// sᵢ of the slopes Sᵢ, |sᵢ| ≤ ¾. Where another picture q lies farther from the space than copies may, no g
/// and no s bring them together. The proof, with Q for ``PictureCoordinates`` (which make no vector longer),
/// V for the space and ρ for ``slack``:
///
///     √768 · M₈(copy − q)  ≥  ‖copy − q‖                     the eighth mean is not below the second
///                          ≥  ‖Q copy − Q q‖
///                          ≥  dist(Q q, V) − dist(Q copy, V)
///                          ≥  dist(Q q, V) − ρ
///
/// ρ is measured, not trusted to the orthogonalisation. With d(x) = dist(Q x, V), which is convex:
/// d(copy) ≤ d(min(g·p, 255)) + ¾ Σ d(Sᵢ). For g ≤ 1 it is at most d(p). Above 1 each pixel is a concave
/// function of g with one bend, where g·p is 255; between two steps of g it lies above the chord by at
/// most (bend − g₀)(g₁ − bend)/(g₁ − g₀)·p, so that d ≤ max(d₀, d₁) + the length of all those.
struct CopySpace: Sendable {
  typealias Row = Thumbnail.Row
  static let directions = 6

  /// The directions of length 1, coordinate by coordinate.
  private let directions: [Float]
  /// The most by which copies lie beside the space.
  private let slack: Float
  private let contrast: Float

  /// Steps of the gain, above 1.
  private static let steps = 8
  /// Shorter than that, what is left of a direction is rounding.
  private static let leastLength: Float = 0.01
  /// For rounding in sums of 288 products, as a share of a length's square: 288 · 2⁻²⁴ in each of seven.
  private static let rounding: Float = 2e-4

  init(_ picture: Thumbnail, _ slopes: Slopes) {
    contrast = picture.contrast
    let share = Thumbnail.share(ofContrast: contrast)
    let most = 1.00001 / Thumbnail.leastGain(share: share)
    let terms = slopes.terms.map(PictureCoordinates.init(of:))
    let gains = (0...Self.steps).map { 1 + (most - 1) * Float($0) / Float(Self.steps) }
    let brighter = gains.map { gain in
      PictureCoordinates(of: picture.rows.map { ($0 * gain).clamped(to: 255) })
    }
    var basis: [PictureCoordinates] = []
    for vector in [brighter[0], brighter[Self.steps]] + terms {
      var rest = vector
      for _ in 0..<2 { for one in basis { rest.subtract(one, times: one.product(rest)) } }
      let length = rest.product(rest).squareRoot()
      rest.scale(length > Self.leastLength ? 1 / length : 0)
      basis.append(rest)
    }
    func beside(_ vector: PictureCoordinates) -> Float {
      var rest = vector
      for one in basis { rest.subtract(one, times: one.product(rest)) }
      return rest.product(rest).squareRoot()
    }
    let distances = brighter.map(beside)
    var farthest = distances[0]
    for step in 0..<Self.steps {
      let bend = Self.bend(picture.rows, gains[step], gains[step + 1])
      farthest = max(farthest, max(distances[step], distances[step + 1]) + bend)
    }
    slack = farthest + Slopes.mostShift * terms.reduce(0) { $0 + beside($1) }
    directions = (0..<PictureCoordinates.count).flatMap { place in basis.map { $0[place] } }
  }

  /// How far the picture lies from the chord between two gains at most.
  private static func bend(_ rows: [Row], _ low: Float, _ high: Float) -> Float {
    var sum = Row.zero
    for row in rows {
      let bend = 255 / row.replacing(with: 1, where: row .< 1)
      let height = (bend - low) * (high - bend) * row * (1 / (high - low))
      let positive = height.replacing(with: 0, where: bend .< low .| bend .> high)
      sum += positive * positive
    }
    return sum.sum().squareRoot()
  }

  /// Which of sixteen pictures, or one among them, is no copy of this one for certain.
  func rulesOut(_ points: PictureCoordinateBlock) -> UInt16 {
    let (halves, directions) = (points.halves.span, directions.span)
    precondition(
      directions.count == Self.directions * PictureCoordinates.count
        && halves.count == 2 * PictureCoordinates.count,
      "\(directions.count) directions, \(halves.count) halves")
    typealias Half = SIMD8<Float>
    var (a0, a1, a2, a3, a4, a5) = (Half(), Half(), Half(), Half(), Half(), Half())
    var (b0, b1, b2, b3, b4, b5) = (Half(), Half(), Half(), Half(), Half(), Half())
    for place in 0..<PictureCoordinates.count {
      let (a, b) = (halves[2 &* place], halves[2 &* place &+ 1])
      let first = Self.directions &* place
      var direction = Half(repeating: directions[first])
      (a0, b0) = (_mm256_fmadd_ps(a, direction, a0), _mm256_fmadd_ps(b, direction, b0))
      direction = Half(repeating: directions[first &+ 1])
      (a1, b1) = (_mm256_fmadd_ps(a, direction, a1), _mm256_fmadd_ps(b, direction, b1))
      direction = Half(repeating: directions[first &+ 2])
      (a2, b2) = (_mm256_fmadd_ps(a, direction, a2), _mm256_fmadd_ps(b, direction, b2))
      direction = Half(repeating: directions[first &+ 3])
      (a3, b3) = (_mm256_fmadd_ps(a, direction, a3), _mm256_fmadd_ps(b, direction, b3))
      direction = Half(repeating: directions[first &+ 4])
      (a4, b4) = (_mm256_fmadd_ps(a, direction, a4), _mm256_fmadd_ps(b, direction, b4))
      direction = Half(repeating: directions[first &+ 5])
      (a5, b5) = (_mm256_fmadd_ps(a, direction, a5), _mm256_fmadd_ps(b, direction, b5))
    }
    let within = Row(
      lowHalf: a0 * a0 + a1 * a1 + a2 * a2 + a3 * a3 + a4 * a4 + a5 * a5,
      highHalf: b0 * b0 + b1 * b1 + b2 * b2 + b3 * b3 + b4 * b4 + b5 * b5)
    var contrasts = points.contrasts
    contrasts.replace(with: contrast, where: contrasts .> contrast)
    var result: UInt16 = 0
    for lane in 0..<Row.scalarCount {
      let distance = points.squares[lane] * (1 - Self.rounding) - within[lane]
      let most = Self.farthest * Thumbnail.share(ofContrast: contrasts[lane]) + slack + 1
      if distance > most * most { result |= 1 << UInt16(lane) }
    }
    return result
  }

  /// Of a copy at full contrast, as ``PictureSignature/mostDistance`` has it: √768 times as much.
  private static let farthest = Float(768).squareRoot() * PictureSignature.mostDistance * 1.001
}
