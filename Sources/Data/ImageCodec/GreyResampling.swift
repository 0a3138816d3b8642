import CVectorIntrinsics

extension RGBImage {
  /// The picture's brightness at another size: Pillow's `convert("L")` and then `resize`, bit for
  /// bit.
  ///
  /// Costs a third of resizing all colours.
  ///
  /// - Parameters:
  ///   - width: Of the result, at least 1.
  ///   - height: Of the result, at least 1.
  ///   - filter: Neither `nearest` nor `area`.
  ///   - original: The sides of the whole picture where this one was decoded smaller.
  /// - Returns: `height` rows of `width` levels.
  public func greyResized(
    width: Int, height: Int, filter: ResampleFilter, of original: (width: Int, height: Int)? = nil
  ) -> [UInt8] {
    precondition(width > 0 && height > 0, "a size of \(width)x\(height)")
    precondition(filter != .nearest && filter != .area, "grey is not resized by \(filter)")
    let box = box(of: original ?? (self.width, self.height))
    let across = ResampleAxis(
      sourceSize: self.width, start: 0, end: Float(box.right), size: width, kept: 0..<width)
    let down = ResampleAxis(
      sourceSize: self.height, start: 0, end: Float(box.bottom), size: height, kept: 0..<height)
    let columns = across.keepsPixels ? nil : ResampleWeightsCache.weights(.filter(filter), across)
    let rows = down.keepsPixels ? nil : ResampleWeightsCache.weights(.filter(filter), down)
    var levels = GreyResampling.levels(of: self)
    // The passes in Pillow's order, as for colours.
    let rowsFirst = height < self.height && self.height - height > 2 * (self.width - width)
    if rowsFirst, let rows {
      levels = VerticalResampling.resample(levels, stride: self.width, firstRow: 0, rows)
    }
    if let columns {
      levels = GreyResampling.resample(levels, width: self.width, columns)
    }
    if !rowsFirst, let rows {
      levels = VerticalResampling.resample(levels, stride: width, firstRow: 0, rows)
    }
    return levels
  }
}

/// Brightness, and the horizontal pass over it in integer arithmetic.
enum GreyResampling {
  private typealias Register = SIMD4<Int64>

  /// Pixels, and taps, that one step takes.
  private static let pixelsAtOnce = 8
  private static let step = 16
  private static let lowBits = HorizontalWeights.lowBits

  /// ITU-R 601-2 luma in Pillow's integers: (19595 R + 38470 G + 7471 B + 2^15) >> 16.
  static func levels(of image: RGBImage) -> [UInt8] {
    let count = image.width * image.height
    let shuffles = (pairs(from: 0), pairs(from: 1))
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { room, filled in
      // Safe: the room has a byte for each pixel, and a step that would read past the last pixel
      // is not made.
      unsafe image.pixels.withUnsafeBytes { source in
        guard let source = source.baseAddress, let target = room.baseAddress else { return }
        let raw = UnsafeMutableRawPointer(target)
        var pixel = 0
        while pixel * 3 + 28 <= count * 3 {
          let levels = unsafe eight(source + pixel * 3, shuffles)
          unsafe raw.storeBytes(of: levels, toByteOffset: pixel, as: SIMD8<UInt8>.self)
          pixel += pixelsAtOnce
        }
        while pixel < count {
          let red = Int32(image.pixels[pixel * 3])
          let green = Int32(image.pixels[pixel * 3 + 1])
          let blue = Int32(image.pixels[pixel * 3 + 2])
          let level = 19595 * red + 38470 * green + 7471 * blue + 0x8000
          unsafe target[pixel] = UInt8(truncatingIfNeeded: level >> 16)
          pixel += 1
        }
      }
      filled = count
    }
  }

  /// Eight pixels of 24 bytes, of which 28 are read.
  @inline(__always)
  private static func eight(
    _ source: UnsafeRawPointer, _ shuffles: (redGreen: Register, greenBlue: Register)
  ) -> SIMD8<UInt8> {
    let bytes = unsafe Register(
      lowHalf: source.loadUnaligned(as: SIMD2<Int64>.self),
      highHalf: (source + 12).loadUnaligned(as: SIMD2<Int64>.self))
    // Green's weight does not fit 16 bits: half of it goes with red, half with blue.
    let redGreen = _mm256_madd_epi16(
      _mm256_shuffle_epi8(bytes, shuffles.redGreen), _mm256_set1_epi32(19235 << 16 | 19595))
    let greenBlue = _mm256_madd_epi16(
      _mm256_shuffle_epi8(bytes, shuffles.greenBlue), _mm256_set1_epi32(7471 << 16 | 19235))
    // Safe: vectors of one size, of which every pattern of bits is a value.
    let sum = unsafe unsafeBitCast(_mm256_add_epi32(redGreen, greenBlue), to: SIMD8<UInt32>.self)
    return SIMD8(truncatingIfNeeded: (sum &+ 0x8000) &>> 16)
  }

  /// Where two channels of four pixels lie: to pairs of 16-bit lanes.
  private static func pairs(from channel: Int) -> Register {
    var bytes = SIMD32<UInt8>(repeating: 0x80)  // zero
    for lane in 0..<8 {
      bytes[lane * 4] = UInt8(lane % 4 * 3 + channel)
      bytes[lane * 4 + 2] = UInt8(lane % 4 * 3 + channel + 1)
    }
    return unsafe unsafeBitCast(bytes, to: Register.self)
  }

  /// Weights of 16 taps, split as ``HorizontalWeights`` are.
  private struct Weights {
    let high: SIMD16<Int16>
    let low: SIMD16<Int16>

    init(_ taps: SIMD16<Int32>) {
      high = SIMD16(truncatingIfNeeded: taps &>> lowBits)
      low = SIMD16(truncatingIfNeeded: taps & (1 << lowBits - 1))
    }
  }

  /// Resamples rows of `width` levels to the columns of `weights`.
  static func resample(
    _ levels: [UInt8], width: Int, _ weights: ResampleWeights
  ) -> [UInt8] {
    let height = levels.count / width
    let columns = weights.windows.count
    let stepsPerWindow = (weights.capacity + step - 1) / step
    var spread: [Weights] = []
    spread.reserveCapacity(columns * stepsPerWindow)
    for column in 0..<columns {
      let base = column * weights.capacity
      for first in stride(from: 0, to: weights.capacity, by: step) {
        var taps = SIMD16<Int32>.zero
        for tap in 0..<min(step, weights.capacity - first) {
          taps[tap] = weights.values[base + first + tap]
        }
        spread.append(Weights(taps))
      }
    }
    // A step may read past the last row, with zero weights.
    let source = levels + [UInt8](repeating: 0, count: step)
    return unsafe [UInt8](unsafeUninitializedCapacity: height * columns) { room, filled in
      // Safe: a window lies inside its row, and what a step reads beyond is inside `source`.
      unsafe source.withUnsafeBytes { source in
        unsafe spread.withUnsafeBufferPointer { spread in
          guard let source = source.baseAddress, let spread = spread.baseAddress,
            let target = room.baseAddress
          else { return }
          for column in 0..<columns {
            let window = weights.windows[column]
            let first = unsafe spread + column * stepsPerWindow
            let steps = (window.count + step - 1) / step
            for y in 0..<height {
              unsafe target[y * columns + column] = level(
                source + y * width + window.lowerBound, first, steps)
            }
          }
        }
      }
      filled = height * columns
    }
  }

  @inline(__always)
  private static func level(
    _ source: UnsafeRawPointer, _ weights: UnsafePointer<Weights>, _ steps: Int
  ) -> UInt8 {
    var high = SIMD8<Int32>.zero
    var low = SIMD8<Int32>.zero
    for index in 0..<steps {
      let taps = unsafe (source + index * step).loadUnaligned(as: SIMD2<Int64>.self)
      let words = _mm256_cvtepu8_epi16(taps)
      // Safe: vectors of one size, of which every pattern of bits is a value.
      unsafe high &+= unsafeBitCast(
        _mm256_madd_epi16(words, unsafeBitCast(weights[index].high, to: Register.self)),
        to: SIMD8<Int32>.self)
      unsafe low &+= unsafeBitCast(
        _mm256_madd_epi16(words, unsafeBitCast(weights[index].low, to: Register.self)),
        to: SIMD8<Int32>.self)
    }
    let half = Int32(1) << (ResampleWeights.precision - 1)
    let sum = ((high &<< lowBits) &+ low).wrappedSum() &+ half
    return UInt8(truncatingIfNeeded: min(255, max(0, sum >> Int32(ResampleWeights.precision))))
  }
}
