/// The two passes of a resize in integer arithmetic.
///
/// Both compute `clamp((2^21 + Σ weight · value) >> 22)`, exact in 32 bits; the order of additions
/// does not matter, so the lanes may be filled as they come.
enum ResampleKernels {
  private typealias Lanes = SIMD8<Int32>

  private static let half = Int32(1) << (ResampleWeights.precision - 1)
  /// The pixels of one step of the horizontal pass: 24 values fill three registers of eight.
  private static let step = 8
  /// The rows that share each load of weights.
  private static let rowsAtOnce = 4

  /// Resamples the rows `rows` of `image` to the columns of `weights`.
  ///
  /// - Returns: `rows.count` rows of `weights.windows.count` pixels.
  static func horizontal(_ image: RGBImage, rows: Range<Int>, _ weights: ResampleWeights)
    -> RGBImage
  {
    let width = weights.windows.count
    let (laneWeights, capacity) = spread(weights)
    let sourceStride = image.width * 3
    let stride = width * 3
    // A step may read past the end of a row, with zero weights: of the last rows there is a copy
    // with room behind it.
    let slack = step * 3
    let lastSafe = image.pixels.count - slack - rowsAtOnce * sourceStride
    var copy = [UInt8](repeating: 0, count: rowsAtOnce * sourceStride + slack)
    let pixels = unsafe [UInt8](unsafeUninitializedCapacity: rows.count * stride) { room, filled in
      // Safe: `room` has `rows.count` rows of `stride` bytes, `source` all rows of the image; a
      // window lies inside its row, and what a step reads beyond is inside `source` or `copy`.
      unsafe image.pixels.withUnsafeBytes { source in
        unsafe copy.withUnsafeMutableBytes { copy in
          unsafe laneWeights.withUnsafeBufferPointer { laneWeights in
            for group in Swift.stride(from: 0, to: rows.count, by: rowsAtOnce) {
              // The last group repeats its last row rather than have fewer.
              let last = rows.count - 1
              var offsets = SIMD4<Int>(0, 1, 2, 3) &+ group
              offsets = pointwiseMin(offsets, SIMD4(repeating: last))
              let targets = offsets &* stride
              let start = (rows.lowerBound + group) * sourceStride
              var base = unsafe UnsafeRawBufferPointer(rebasing: source[start...])
              if start > lastSafe {
                let end = (rows.lowerBound + offsets[3] + 1) * sourceStride
                unsafe copy.copyMemory(
                  from: UnsafeRawBufferPointer(rebasing: source[start..<end]))
                unsafe base = UnsafeRawBufferPointer(copy)
              }
              unsafe fourRows(
                base, (offsets &- group) &* sourceStride, weights.windows, laneWeights, capacity,
                room, targets)
            }
          }
        }
      }
      filled = rows.count * stride
    }
    return RGBImage(width: width, height: rows.count, pixels: pixels)
  }

  /// The weights as the lanes meet them, each three times: `capacity` values per result pixel.
  private static func spread(_ weights: ResampleWeights) -> (values: [Int32], capacity: Int) {
    let steps = (weights.capacity + step - 1) / step
    let capacity = steps * step * 3
    var values = [Int32](repeating: 0, count: weights.windows.count * capacity)
    for index in weights.windows.indices {
      for tap in 0..<weights.windows[index].count {
        let value = weights.values[index * weights.capacity + tap]
        for channel in 0..<3 { values[index * capacity + tap * 3 + channel] = value }
      }
    }
    return (values, capacity)
  }

  @inline(__always)
  private static func load(_ source: UnsafeRawPointer, _ offset: Int) -> Lanes {
    Lanes(
      truncatingIfNeeded: unsafe source.loadUnaligned(
        fromByteOffset: offset, as: SIMD8<UInt8>.self))
  }

  private static func fourRows(
    _ source: UnsafeRawBufferPointer, _ rows: SIMD4<Int>, _ windows: [Range<Int>],
    _ weights: UnsafeBufferPointer<Int32>, _ capacity: Int,
    _ target: UnsafeMutableBufferPointer<UInt8>, _ targets: SIMD4<Int>
  ) {
    guard let source = source.baseAddress, let weights = weights.baseAddress,
      let target = target.baseAddress
    else { return }
    for index in windows.indices {
      let window = windows[index]
      var (a0, a1, a2) = (Lanes.zero, Lanes.zero, Lanes.zero)
      var (b0, b1, b2) = (Lanes.zero, Lanes.zero, Lanes.zero)
      var (c0, c1, c2) = (Lanes.zero, Lanes.zero, Lanes.zero)
      var (d0, d1, d2) = (Lanes.zero, Lanes.zero, Lanes.zero)
      var offset = window.lowerBound * 3
      var weight = unsafe UnsafeRawPointer(weights + index * capacity)
      for _ in 0..<(window.count + step - 1) / step {
        let w0 = unsafe weight.loadUnaligned(as: Lanes.self)
        let w1 = unsafe weight.loadUnaligned(fromByteOffset: 32, as: Lanes.self)
        let w2 = unsafe weight.loadUnaligned(fromByteOffset: 64, as: Lanes.self)
        unsafe a0 &+= load(source, rows[0] + offset) &* w0
        unsafe a1 &+= load(source, rows[0] + offset + 8) &* w1
        unsafe a2 &+= load(source, rows[0] + offset + 16) &* w2
        unsafe b0 &+= load(source, rows[1] + offset) &* w0
        unsafe b1 &+= load(source, rows[1] + offset + 8) &* w1
        unsafe b2 &+= load(source, rows[1] + offset + 16) &* w2
        unsafe c0 &+= load(source, rows[2] + offset) &* w0
        unsafe c1 &+= load(source, rows[2] + offset + 8) &* w1
        unsafe c2 &+= load(source, rows[2] + offset + 16) &* w2
        unsafe d0 &+= load(source, rows[3] + offset) &* w0
        unsafe d1 &+= load(source, rows[3] + offset + 8) &* w1
        unsafe d2 &+= load(source, rows[3] + offset + 16) &* w2
        offset += step * 3
        unsafe weight += 96
      }
      unsafe store(a0, a1, a2, target + targets[0] + index * 3)
      unsafe store(b0, b1, b2, target + targets[1] + index * 3)
      unsafe store(c0, c1, c2, target + targets[2] + index * 3)
      unsafe store(d0, d1, d2, target + targets[3] + index * 3)
    }
  }

  /// Adds up the lanes of each channel: lane n of 24 belongs to channel n mod 3.
  @inline(__always)
  private static func store(
    _ x: Lanes, _ y: Lanes, _ z: Lanes, _ target: UnsafeMutablePointer<UInt8>
  ) {
    // Twelve apart is the same channel.
    let p = x.lowHalf &+ y.highHalf
    let q = x.highHalf &+ z.lowHalf
    let r = y.lowHalf &+ z.highHalf
    unsafe target[0] = rounded(p[0] &+ p[3] &+ q[2] &+ r[1] &+ half)
    unsafe target[1] = rounded(p[1] &+ q[0] &+ q[3] &+ r[2] &+ half)
    unsafe target[2] = rounded(p[2] &+ q[1] &+ r[0] &+ r[3] &+ half)
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
  static func vertical(_ image: RGBImage, firstRow: Int, _ weights: ResampleWeights) -> RGBImage {
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
