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
  func encode(
    _ places: [Int], of pairs: [Pair], by encoder: CLIPEncoder
  ) -> [Result<[Float], ImageError>] {
    let side = preprocessing.size
    let count = 3 * side * side
    var pixels: [Float] = []
    pixels.reserveCapacity(places.count * count)
    var faults: [Int: ImageError] = [:]
    for place in places {
      do throws(ImageError) {
        pixels += preprocessing.evaluate(try ImageDecoder.decode(pairs[place].image))
      } catch {
        faults[place] = error
      }
    }
    let whole = places.count - faults.count
    var rows: [[Float]] = []
    if encoder.isExactInAnyBatch, whole > 0 {
      rows = Self.rows(encoder.imageFeatures(Tensor(shape: [whole, 3, side, side], pixels)))
    } else {
      // Alone, a picture meets the same shapes of products in any batch.
      rows = (0..<whole).map { index in
        let alone = Array(pixels[index * count..<(index + 1) * count])
        return encoder.imageFeatures(Tensor(shape: [1, 3, side, side], alone)).values
      }
    }
    var next = 0
    return places.map { place in
      if let fault = faults[place] { return .failure(fault) }
      next += 1
      return .success(rows[next - 1])
    }
  }

  static func rows(_ features: Tensor) -> [[Float]] {
    let (values, width) = (features.values, features.shape[1])
    return (0..<features.shape[0]).map { Array(values[$0 * width..<($0 + 1) * width]) }
  }
}
