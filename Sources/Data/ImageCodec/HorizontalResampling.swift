import CVectorIntrinsics

/// The horizontal pass of a resize in integer arithmetic.
///
/// Computes `clamp((2^21 + Σ weight · value) >> 22)`, exact in 32 bits. `vpmaddwd` adds two products
/// of 16-bit numbers in one instruction, but a weight has up to 24 bits: it is split into its low
/// twelve bits and the rest, and the two sums are put together at the end; all of it modulo 2^32, as
/// the plain sum is.
enum HorizontalResampling {
  private typealias Words = SIMD16<Int16>

  private static let step = HorizontalWeights.step
  private static let lowBits = HorizontalWeights.lowBits
  /// The rows that share each load of weights.
  private static let rowsAtOnce = 4

  /// Resamples the rows `rows` of `image` to the columns of `weights`.
  ///
  /// - Returns: `rows.count` rows of `weights.windows.count` pixels.
  static func resample(_ image: RGBImage, rows: Range<Int>, _ weights: ResampleWeights) -> RGBImage
  {
    let width = weights.windows.count
    let stepsPerWindow = (weights.capacity + step - 1) / step
    let stepWeights = weights.horizontal
    let sourceStride = image.width * 3
    let stride = width * 3
    // A step may read past the end of a row, with zero weights: of the last rows there is a copy
    // with room behind it.
    let slack = 16 + step * 3
    let lastSafe = image.pixels.count - slack - rowsAtOnce * sourceStride
    var copy = [UInt8](repeating: 0, count: rowsAtOnce * sourceStride + slack)
    let pixels = unsafe [UInt8](unsafeUninitializedCapacity: rows.count * stride) { room, filled in
      // Safe: `room` has `rows.count` rows of `stride` bytes, `source` all rows of the image; a
      // window lies inside its row, and what a step reads beyond is inside `source` or `copy`.
      unsafe image.pixels.withUnsafeBytes { source in
        unsafe copy.withUnsafeMutableBytes { copy in
          unsafe stepWeights.withUnsafeBufferPointer { stepWeights in
            for group in Swift.stride(from: 0, to: rows.count, by: rowsAtOnce) {
              // The last group repeats its last row rather than have fewer.
              let last = rows.count - 1
              var offsets = SIMD4<Int>(0, 1, 2, 3) &+ group
              offsets = pointwiseMin(offsets, SIMD4(repeating: last))
              let start = (rows.lowerBound + group) * sourceStride
              var base = unsafe UnsafeRawBufferPointer(rebasing: source[start...])
              if start > lastSafe {
                let end = (rows.lowerBound + offsets[3] + 1) * sourceStride
                unsafe copy.copyMemory(
                  from: UnsafeRawBufferPointer(rebasing: source[start..<end]))
                unsafe base = UnsafeRawBufferPointer(copy)
              }
              unsafe fourRows(
                base, (offsets &- group) &* sourceStride, weights.windows, stepWeights,
                stepsPerWindow, UnsafeMutableRawBufferPointer(room), offsets &* stride)
            }
          }
        }
      }
      filled = rows.count * stride
    }
    return RGBImage(width: width, height: rows.count, pixels: pixels)
  }

  /// Where the bytes of four pixels go: to 16-bit lanes in the order of ``HorizontalWeights``.
  private static let lanes: SIMD4<Int64> = {
    var bytes = SIMD32<UInt8>(repeating: 0x80)  // zero
    for tap in 0..<step {
      for channel in 0..<3 {
        bytes[(tap / 2) * 16 + channel * 4 + (tap % 2) * 2] = UInt8(tap * 3 + channel)
      }
    }
    return unsafe unsafeBitCast(bytes, to: SIMD4<Int64>.self)
  }()

  /// The sums of one row's window, as they grow.
  private struct Sums {
    var high = SIMD8<Int32>.zero
    /// With the half that rounds.
    var low = SIMD8<Int32>(
      lowHalf: SIMD4(repeating: 1 << Int32(ResampleWeights.precision - 1)), highHalf: .zero)

    @inline(__always)
    mutating func add(
      _ source: UnsafeRawPointer, _ lanes: SIMD4<Int64>, _ weights: HorizontalWeights
    ) {
      let four = unsafe source.loadUnaligned(as: SIMD2<Int64>.self)
      let words = _mm256_shuffle_epi8(SIMD4(lowHalf: four, highHalf: four), lanes)
      high &+= Self.products(words, weights.high)
      low &+= Self.products(words, weights.low)
    }

    @inline(__always)
    private static func products(_ words: SIMD4<Int64>, _ weights: Words) -> SIMD8<Int32> {
      // Safe: vectors of one size, of which every pattern of bits is a value.
      unsafe unsafeBitCast(
        _mm256_madd_epi16(words, unsafeBitCast(weights, to: SIMD4<Int64>.self)),
        to: SIMD8<Int32>.self)
    }

    /// Of both halves, which are still to be added.
    @inline(__always)
    var total: SIMD8<Int32> { (high &<< lowBits) &+ low }
  }

  private static func fourRows(
    _ source: UnsafeRawBufferPointer, _ rows: SIMD4<Int>, _ windows: [Range<Int>],
    _ weights: UnsafeBufferPointer<HorizontalWeights>, _ stepsPerWindow: Int,
    _ target: UnsafeMutableRawBufferPointer, _ targets: SIMD4<Int>
  ) {
    guard let source = source.baseAddress, let weights = weights.baseAddress,
      let target = target.baseAddress
    else { return }
    let lanes = lanes
    let last = windows.count - 1
    for index in windows.indices {
      let window = windows[index]
      var (a, b, c, d) = (Sums(), Sums(), Sums(), Sums())
      var place = unsafe source + window.lowerBound * 3
      var weight = unsafe weights + index * stepsPerWindow
      for _ in 0..<(window.count + step - 1) / step {
        unsafe a.add(place + rows[0], lanes, weight.pointee)
        unsafe b.add(place + rows[1], lanes, weight.pointee)
        unsafe c.add(place + rows[2], lanes, weight.pointee)
        unsafe d.add(place + rows[3], lanes, weight.pointee)
        unsafe place += step * 3
        unsafe weight += 1
      }
      let pixels = bytes(two(a.total, b.total), two(c.total, d.total))
      let made = unsafe target + index * 3
      if index < last {
        // The fourth byte falls on the next pixel of the row, which comes later.
        unsafe made.storeBytes(of: pixels[0], toByteOffset: targets[0], as: UInt32.self)
        unsafe made.storeBytes(of: pixels[4], toByteOffset: targets[1], as: UInt32.self)
        unsafe made.storeBytes(of: pixels[1], toByteOffset: targets[2], as: UInt32.self)
        unsafe made.storeBytes(of: pixels[5], toByteOffset: targets[3], as: UInt32.self)
      } else {
        for (row, lane) in [0, 4, 1, 5].enumerated() {
          let pixel = pixels[lane]
          unsafe made.storeBytes(
            of: UInt16(truncatingIfNeeded: pixel), toByteOffset: targets[row], as: UInt16.self)
          unsafe made.storeBytes(
            of: UInt8(truncatingIfNeeded: pixel >> 16), toByteOffset: targets[row] + 2,
            as: UInt8.self)
        }
      }
    }
  }

  /// Red, green, blue and nothing of two rows, before they are cut to bytes.
  @inline(__always)
  private static func two(_ a: SIMD8<Int32>, _ b: SIMD8<Int32>) -> SIMD8<Int32> {
    let sum =
      SIMD8(lowHalf: a.lowHalf, highHalf: b.lowHalf)
      &+ SIMD8(lowHalf: a.highHalf, highHalf: b.highHalf)
    return sum &>> Int32(ResampleWeights.precision)
  }

  /// Pixels a and b, c and d clamped to 0 … 255, a byte for each lane: a, c, …, b, d, ….
  @inline(__always)
  private static func bytes(_ ab: SIMD8<Int32>, _ cd: SIMD8<Int32>) -> SIMD8<UInt32> {
    // Safe: vectors of one size, of which every pattern of bits is a value.
    let words = unsafe _mm256_packs_epi32(
      unsafeBitCast(ab, to: SIMD4<Int64>.self), unsafeBitCast(cd, to: SIMD4<Int64>.self))
    return unsafe unsafeBitCast(_mm256_packus_epi16(words, words), to: SIMD8<UInt32>.self)
  }
}
