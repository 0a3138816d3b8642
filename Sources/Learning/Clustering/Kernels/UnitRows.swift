import TensorEngine

/// Rows brought to length one.
///
/// A row that holds what is no finite number becomes one of zeros: it is near to nothing, and spoils no sum.
enum UnitRows {
  /// Divides each row by its length; rows of zeros stay.
  static func normalize(_ floats: inout MutableSpan<Float>, width: Int) {
    for start in stride(from: 0, to: floats.count, by: width) {
      let length = floats.span.extracting(start..<start + width).squaredLength.squareRoot()
      guard length != 0 else { continue }
      guard length.isFinite else {
        for index in start..<start + width { floats[index] = 0 }
        continue
      }
      let scale = 1 / length
      for index in start..<start + width { floats[index] *= scale }
    }
  }
}

extension Tensor {
  /// 1 / the length of each row, as ``UnitRows`` scales it: 1 for a row of zeros, 0 for one that is not finite.
  func inverseLengths(width: Int) -> [Float] {
    withSpan { floats in
      stride(from: 0, to: floats.count, by: width).map { start in
        let length = floats.extracting(start..<start + width).squaredLength.squareRoot()
        return length == 0 ? 1 : length.isFinite ? 1 / length : 0
      }
    }
  }
}

extension Span<Float> {
  /// The sum of squares, in four times eight lanes.
  var squaredLength: Float { product(with: self) }

  /// The inner product, in four times eight lanes.
  func product(with other: Span<Float>) -> Float {
    precondition(count == other.count, "a product of \(count) and \(other.count) floats")
    var sums = (SIMD8<Float>(), SIMD8<Float>(), SIMD8<Float>(), SIMD8<Float>())
    var index = 0
    let whole = count
    var rest: Float = 0
    unsafe withUnsafeBufferPointer { one in
      unsafe other.withUnsafeBufferPointer { two in
        guard let first = one.baseAddress, let second = two.baseAddress else { return }
        // Safe: both have `whole` floats, and the last load ends at or before it.
        @inline(__always) func lanes(_ base: UnsafePointer<Float>, _ place: Int) -> SIMD8<Float> {
          unsafe UnsafeRawPointer(base + place).loadUnaligned(as: SIMD8<Float>.self)
        }
        while index &+ 32 <= whole {
          unsafe sums.0.addProduct(lanes(first, index), lanes(second, index))
          unsafe sums.1.addProduct(lanes(first, index &+ 8), lanes(second, index &+ 8))
          unsafe sums.2.addProduct(lanes(first, index &+ 16), lanes(second, index &+ 16))
          unsafe sums.3.addProduct(lanes(first, index &+ 24), lanes(second, index &+ 24))
          index &+= 32
        }
        while index < whole {
          unsafe rest += first[index] * second[index]
          index &+= 1
        }
      }
    }
    return ((sums.0 + sums.1) + (sums.2 + sums.3)).sum() + rest
  }
}
