import CVectorIntrinsics

/// The vertical pass of a resize in integer arithmetic.
///
/// Computes `clamp((2^21 + Σ weight · value) >> 22)`, exact in 32 bits; the order of additions
/// does not matter. Two rows are taken at once: `vpmaddwd` adds two products of 16-bit numbers, so
/// weights are split as in ``HorizontalResampling``.
enum VerticalResampling {
  private typealias Register = SIMD4<Int64>

  private static let half = Int32(1) << (ResampleWeights.precision - 1)
  private static let lowBits = HorizontalWeights.lowBits
  /// The bytes of a row that one step makes.
  private static let step = 32

  /// Resamples the rows of `image`, the first of which is row `firstRow` of the weights' axis.
  ///
  /// - Returns: `weights.windows.count` rows as wide as `image`.
  static func resample(_ image: RGBImage, firstRow: Int, _ weights: ResampleWeights) -> RGBImage {
    RGBImage(
      width: image.width, height: weights.windows.count,
      pixels: resample(image.pixels, stride: image.width * 3, firstRow: firstRow, weights))
  }

  /// Resamples rows of `stride` bytes, whatever the bytes are.
  static func resample(
    _ bytes: [UInt8], stride: Int, firstRow: Int, _ weights: ResampleWeights
  ) -> [UInt8] {
    let height = weights.windows.count
    let needed = (weights.windows.map(\.upperBound).max() ?? 0) - firstRow
    precondition(needed * stride <= bytes.count, "\(needed) rows of \(stride) bytes are read")
    return unsafe [UInt8](unsafeUninitializedCapacity: height * stride) { room, filled in
      // Safe: windows lie inside the rows, as checked above, and columns inside a row.
      unsafe bytes.withUnsafeBytes { source in
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
  }

  private static func oneRow(
    _ source: UnsafeRawPointer, _ stride: Int, _ weights: UnsafePointer<Int32>, _ taps: Int,
    _ target: UnsafeMutablePointer<UInt8>
  ) {
    guard stride >= step else {
      unsafe narrowRow(source, stride, weights, taps, target)
      return
    }
    let raw = UnsafeMutableRawPointer(target)
    for start in Swift.stride(from: 0, to: stride, by: step) {
      // The last step makes some bytes again rather than fewer.
      let x = min(start, stride - step)
      var sums = Sums()
      var row = unsafe source + x
      var tap = 0
      while tap + 1 < taps {
        unsafe sums.add(
          row.loadUnaligned(as: Register.self),
          (row + stride).loadUnaligned(as: Register.self), weights[tap], weights[tap + 1])
        unsafe row += 2 * stride
        tap += 2
      }
      if tap < taps {
        unsafe sums.add(row.loadUnaligned(as: Register.self), .zero, weights[tap], 0)
      }
      unsafe raw.storeBytes(of: sums.bytes, toByteOffset: x, as: Register.self)
    }
  }

  /// Rows of fewer bytes than a step.
  private static func narrowRow(
    _ source: UnsafeRawPointer, _ stride: Int, _ weights: UnsafePointer<Int32>, _ taps: Int,
    _ target: UnsafeMutablePointer<UInt8>
  ) {
    for x in 0..<stride {
      var sum = half
      for tap in 0..<taps {
        let value = unsafe source.load(fromByteOffset: tap * stride + x, as: UInt8.self)
        unsafe sum &+= Int32(value) &* weights[tap]
      }
      let value = sum >> Int32(ResampleWeights.precision)
      unsafe target[x] = UInt8(truncatingIfNeeded: min(255, max(0, value)))
    }
  }

  /// The sums of 32 columns, as they grow.
  ///
  /// Each pair of registers holds 8 columns: of the register's two halves, `a` has columns 0 … 3
  /// and 16 … 19, `b` the next four of each, and so on, as unpacking bytes leaves them.
  private struct Sums {
    private var a = Pair()
    private var b = Pair()
    private var c = Pair()
    private var d = Pair()

    @inline(__always)
    mutating func add(_ upper: Register, _ lower: Register, _ first: Int32, _ second: Int32) {
      let high = Self.pair(first >> lowBits, second >> lowBits)
      let mask: Int32 = 1 << lowBits - 1
      let low = Self.pair(first & mask, second & mask)
      let front = _mm256_unpacklo_epi8(upper, lower)
      let back = _mm256_unpackhi_epi8(upper, lower)
      a.add(_mm256_unpacklo_epi8(front, .zero), high, low)
      b.add(_mm256_unpackhi_epi8(front, .zero), high, low)
      c.add(_mm256_unpacklo_epi8(back, .zero), high, low)
      d.add(_mm256_unpackhi_epi8(back, .zero), high, low)
    }

    @inline(__always)
    private static func pair(_ first: Int32, _ second: Int32) -> Register {
      _mm256_set1_epi32(first & 0xFFFF | second << 16)
    }

    /// Rounded and clamped, in the order of the columns.
    @inline(__always)
    var bytes: Register {
      _mm256_packus_epi16(
        _mm256_packs_epi32(a.rounded, b.rounded), _mm256_packs_epi32(c.rounded, d.rounded))
    }
  }

  /// The sums of 8 columns: by the weights' high bits, and by their low ones.
  private struct Pair {
    private var high = SIMD8<Int32>.zero
    private var low = SIMD8<Int32>(repeating: half)

    @inline(__always)
    mutating func add(_ words: Register, _ highWeights: Register, _ lowWeights: Register) {
      // Safe: vectors of one size, of which every pattern of bits is a value.
      unsafe high &+= unsafeBitCast(_mm256_madd_epi16(words, highWeights), to: SIMD8<Int32>.self)
      unsafe low &+= unsafeBitCast(_mm256_madd_epi16(words, lowWeights), to: SIMD8<Int32>.self)
    }

    @inline(__always)
    var rounded: Register {
      let sum = ((high &<< lowBits) &+ low) &>> Int32(ResampleWeights.precision)
      // Safe: as above.
      return unsafe unsafeBitCast(sum, to: Register.self)
    }
  }
}
