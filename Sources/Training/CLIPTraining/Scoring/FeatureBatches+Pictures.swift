import BatchLoading
import CLIPModel
import ImageCodec
import PairDataset
import TensorEngine

extension FeatureBatches {
  /// Decodes and encodes one batch.
  ///
  /// - Parameters:
  ///   - places: In `pairs`.
  ///   - pairs: Whose pictures they are.
  ///   - encoder: Of this precision.
  /// - Returns: For each place a row, or why its picture cannot be decoded.
  /// - Throws: What keeps every picture from being decoded.
  func encode(
    _ places: [Int], of pairs: [Pair], by encoder: CLIPEncoder
  ) throws -> [Result<[Float], PictureFault>] {
    let decoded = try squares.squares(of: places.map { pairs[$0].image })
    precondition(decoded.count == places.count, "\(decoded.count) squares of \(places.count)")
    let squares = decoded.compactMap { result in
      if case .success(let square) = result { square } else { nil }
    }
    var rows: [[Float]] = []
    if encoder.isExactInAnyBatch, !squares.isEmpty {
      rows = Self.rows(encoder.imageFeatures(preprocessing.tensor(of: squares)))
    } else {
      // Alone, a picture meets the same shapes of products in any batch.
      rows = squares.map { encoder.imageFeatures(preprocessing.tensor(of: [$0])).values }
    }
    var next = 0
    return decoded.map { result in
      if case .failure(let fault) = result { return .failure(fault) }
      next += 1
      return .success(rows[next - 1])
    }
  }

  static func rows(_ features: Tensor) -> [[Float]] {
    let (values, width) = (features.values, features.shape[1])
    return (0..<features.shape[0]).map { Array(values[$0 * width..<($0 + 1) * width]) }
  }
}
