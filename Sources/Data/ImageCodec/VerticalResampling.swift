/// The vertical pass of a resize in integer arithmetic.
///
/// Computes `clamp((2^21 + Σ weight · value) >> 22)`, exact in 32 bits; the order of additions
/// does not matter, so the lanes may be filled as they come.
enum VerticalResampling {
  private typealias Lanes = SIMD8<Int32>

  private static let half = Int32(1) << (ResampleWeights.precision - 1)

  @inline(__always)
  private static func load(_ source: UnsafeRawPointer, _ offset: Int) -> Lanes {
    Lanes(
      truncatingIfNeeded: unsafe source.loadUnaligned(
        fromByteOffset: offset, as: SIMD8<UInt8>.self))
  }

  @inline(__always)
  private static func rounded(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(255, max(0, sum >> Int32(ResampleWeights.precision))))
  }

  @inline(__always)
  private static func rounded(_ sum: Lanes) -> SIMD8<UInt8> {
    let value = sum &>> Int32(ResampleWeights.precision)
    return SIMD8(
      truncatingIfNeeded: value.clamped(lowerBound: .zero, upperBound: Lanes(repeating: 255)))
  }

  /// Resamples the rows of `image`, the first of which is row `firstRow` of the weights' axis.
  ///
  /// - Returns: `weights.windows.count` rows as wide as `image`.
  static func resample(_ image: RGBImage, firstRow: Int, _ weights: ResampleWeights) -> RGBImage {
    let height = weights.windows.count
    let stride = image.width * 3
    let pixels = unsafe [UInt8](unsafeUninitializedCapacity: height * stride) { room, filled in
      // Safe: windows lie inside the image's rows, and columns inside a row of `stride` bytes.
      unsafe image.pixels.withUnsafeBytes { source in
        unsafe weights.values.withUnsafeBufferPointer { values in
          guard let source = source.baseAddress, let values = values.baseAddress,
            let target = room.baseAddress
          else { return }
          for y in 0..<height {
            let window = weights.windows[y]
            unsafe oneRow(
              source + (window.lowerBound - firstRow) * stride, stride,
              values + y * weights.capacity, window.count, target + y * stride)
          }
        }
      }
      filled = height * stride
    }
    return RGBImage(width: image.width, height: height, pixels: pixels)
  }

  private static func oneRow(
    _ source: UnsafeRawPointer, _ stride: Int, _ weights: UnsafePointer<Int32>, _ taps: Int,
    _ target: UnsafeMutablePointer<UInt8>
  ) {
    let raw = UnsafeMutableRawPointer(target)
    var x = 0
    while x + 32 <= stride {
      var (a, b) = (Lanes(repeating: half), Lanes(repeating: half))
      var (c, d) = (Lanes(repeating: half), Lanes(repeating: half))
      var row = unsafe source + x
      for tap in 0..<taps {
        let weight = unsafe Lanes(repeating: weights[tap])
        unsafe a &+= load(row, 0) &* weight
        unsafe b &+= load(row, 8) &* weight
        unsafe c &+= load(row, 16) &* weight
        unsafe d &+= load(row, 24) &* weight
        unsafe row += stride
      }
      unsafe raw.storeBytes(of: rounded(a), toByteOffset: x, as: SIMD8<UInt8>.self)
      unsafe raw.storeBytes(of: rounded(b), toByteOffset: x + 8, as: SIMD8<UInt8>.self)
      unsafe raw.storeBytes(of: rounded(c), toByteOffset: x + 16, as: SIMD8<UInt8>.self)
      unsafe raw.storeBytes(of: rounded(d), toByteOffset: x + 24, as: SIMD8<UInt8>.self)
      x += 32
    }
    while x < stride {
      var sum = half
      for tap in 0..<taps {
        let value = unsafe source.load(fromByteOffset: tap * stride + x, as: UInt8.self)
        unsafe sum &+= Int32(value) &* weights[tap]
      }
      unsafe target[x] = rounded(sum)
      x += 1
    }
  }
}
