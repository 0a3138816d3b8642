import Glibc

/// How a pixel of the result is made from pixels of the source; Pillow's filters by Pillow's names.
///
/// All but `nearest` are stretched by the scale when shrinking, so that no pixel is passed over.
public enum ResampleFilter: String, Sendable, CaseIterable, Codable {
  case nearest, box, bilinear, hamming, bicubic, lanczos
  /// OpenCV's `INTER_AREA`, to within one level: the mean of what a pixel covers where neither axis
  /// grows, else a blend of two neighbours along each axis.
  case area

  /// The half width at scale 1.
  var support: Double {
    switch self {
    case .nearest: 0
    case .box, .area: 0.5
    case .bilinear, .hamming: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  /// The weight at distance `x` from the centre, in the order of operations of Pillow's Resample.c.
  func weight(_ x: Double) -> Double {
    switch self {
    case .nearest: return 1
    case .box, .area: return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bilinear:
      let x = abs(x)
      return x < 1 ? 1 - x : 0
    case .hamming:
      let x = abs(x)
      if x == 0 { return 1 }
      if x >= 1 { return 0 }
      let angle = x * Double.pi
      return sin(angle) / angle * (0.54 + 0.46 * cos(angle))
    case .bicubic:
      let a = -0.5  // Keys 1981, the value of PIL; OpenCV has -0.75
      let x = abs(x)
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
      return 0
    case .lanczos: return x >= -3 && x < 3 ? Self.sinc(x) * Self.sinc(x / 3) : 0
    }
  }

  private static func sinc(_ x: Double) -> Double {
    if x == 0 { return 1 }
    let angle = x * Double.pi
    return sin(angle) / angle
  }
}
