import Glibc
import Synchronization

/// The fixed-point weights of one axis: which source pixels make each result pixel.
///
/// Source: Pillow, src/libImaging/Resample.c, `precompute_coeffs` and `normalize_coeffs_8bpc`.
final class ResampleWeights: Sendable {
  /// A weight of 1 is `1 << precision`: 8 bits of pixel, 2 of overshoot, 22 of fraction.
  static let precision = 32 - 8 - 2

  /// Of each result pixel, the first source pixel and how many follow on.
  let windows: [Range<Int>]
  /// The most pixels of a window.
  let capacity: Int
  /// `capacity` weights for each result pixel; those beyond its window are zero.
  let values: [Int32]
  /// The same as the horizontal pass meets them; made when it asks for the first time.
  private let spread = Mutex<[HorizontalWeights]?>(nil)

  init(windows: [Range<Int>], capacity: Int, values: [Int32]) {
    self.windows = windows
    self.capacity = capacity
    self.values = values
  }

  /// The weights in the order of ``HorizontalResampling``.
  var horizontal: [HorizontalWeights] {
    spread.withLock { made in
      if let made { return made }
      let weights = HorizontalWeights.spread(self)
      made = weights
      return weights
    }
  }

  /// Bytes of memory, once the horizontal pass has asked.
  var cost: Int {
    values.count * 4 + windows.count * 16 + windows.count * (capacity + 3) / 4 * 64
  }
}

extension ResampleWeights {
  /// The weights of a filter that is stretched when shrinking.
  ///
  /// - Parameters:
  ///   - filter: Neither `nearest` nor `area`.
  ///   - axis: Which pixels are made of which.
  convenience init(_ filter: ResampleFilter, _ axis: ResampleAxis) {
    let scale = axis.scale
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    let reciprocal = 1 / filterScale
    let capacity = Int(ceil(support)) * 2 + 1
    var windows: [Range<Int>] = []
    windows.reserveCapacity(axis.kept.count)
    var values = [Int32](repeating: 0, count: axis.kept.count * capacity)
    var weights = [Double](repeating: 0, count: capacity)
    var base = 0
    for index in axis.kept {
      let centre = Double(axis.start) + (Double(index) + 0.5) * scale
      let first = max(0, Int(centre - support + 0.5))
      let last = min(axis.sourceSize, Int(centre + support + 0.5))
      let count = max(0, last - first)
      defer { base += capacity }
      windows.append(first..<first + count)
      if filter == .lanczos,
        LanczosWindow(first: (Double(first) - centre + 0.5) * reciprocal, step: reciprocal)
          .fill(&values, at: base, count: count, &weights)
      {
        continue
      }
      Self.fill(&weights, count) {
        filter.weight((Double($0 + first) - centre + 0.5) * reciprocal)
      }
      for offset in 0..<count { values[base + offset] = Self.fixed(weights[offset]) }
    }
    self.init(windows: windows, capacity: capacity, values: values)
  }

  /// The first weights, brought to a sum of 1.
  private static func fill(_ weights: inout [Double], _ count: Int, _ weight: (Int) -> Double) {
    var sum = 0.0
    for offset in 0..<count {
      weights[offset] = weight(offset)
      sum += weights[offset]
    }
    if sum != 0 { for offset in 0..<count { weights[offset] /= sum } }
  }

  /// The weights of one result pixel before they are brought to fixed point, and the pixels that they are of.
  static func normalized(
    _ filter: ResampleFilter, _ axis: ResampleAxis, at index: Int, _ weights: inout [Double]
  ) -> Range<Int> {
    let scale = axis.scale
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    let centre = Double(axis.start) + (Double(index) + 0.5) * scale
    let first = max(0, Int(centre - support + 0.5))
    let last = max(first, min(axis.sourceSize, Int(centre + support + 0.5)))
    if weights.count < last - first { weights = [Double](repeating: 0, count: last - first) }
    fill(&weights, last - first) {
      filter.weight((Double($0 + first) - centre + 0.5) * (1 / filterScale))
    }
    return first..<last
  }

  /// A weight in fixed point, halves away from zero.
  static func fixed(_ weight: Double) -> Int32 {
    let scaled = weight * Double(1 << precision)
    return Int32(weight < 0 ? scaled - 0.5 : scaled + 0.5)
  }
}

/// One axis of a resize.
struct ResampleAxis: Hashable {
  /// The pixels of the source.
  var sourceSize: Int
  /// Where the box begins on it, in the single precision that Pillow uses.
  var start: Float
  /// Where the box ends.
  var end: Float
  /// The pixels of the result.
  var size: Int
  /// Those of them that are made.
  var kept: Range<Int>

  /// Source pixels for each result pixel.
  var scale: Double { Double(end - start) / Double(size) }

  /// Whether nothing changes but what is left out.
  var keepsPixels: Bool { size == sourceSize && start == 0 && end == Float(size) }
}

/// Weights that were made before, for pictures of one size follow each other.
///
/// Safe from any thread. Holds at most `limit` bytes; beyond, all go and the next ones start anew.
enum ResampleWeightsCache {
  private struct Key: Hashable {
    var kind: Kind
    var axis: ResampleAxis
  }

  private struct State {
    var weights: [Key: ResampleWeights] = [:]
    var cost = 0
  }

  /// What makes the weights.
  enum Kind: Hashable {
    case filter(ResampleFilter)
    case coverage
    case neighbours
  }

  private static let limit = 8 << 20
  private static let state = Mutex(State())

  static func weights(_ kind: Kind, _ axis: ResampleAxis) -> ResampleWeights {
    let key = Key(kind: kind, axis: axis)
    if let known = state.withLock({ $0.weights[key] }) { return known }
    let made =
      switch kind {
      case .filter(let filter): ResampleWeights(filter, axis)
      case .coverage: ResampleWeights(coverageOf: axis)
      case .neighbours: ResampleWeights(neighboursOf: axis)
      }
    state.withLock { state in
      if state.cost + made.cost > limit { state = State() }
      if made.cost <= limit / 4, state.weights.updateValue(made, forKey: key) == nil {
        state.cost += made.cost
      }
    }
    return made
  }
}
