import BatchLoading
import CLIPModel
import FoundationEssentials
import TensorEngine

/// Where features of pictures and of captions are remembered.
struct FeatureStores: Sendable {
  /// Grows when anything that features depend on changes in this program: decoding, resizing, kernels.
  private static let programVersion = 2

  let images: FeatureStore
  let texts: FeatureStore

  /// - Parameters:
  ///   - folder: On disk; nil for memory alone.
  ///   - weightsHash: SHA-256 of the weights.
  ///   - configuration: What else the towers depend on: activation, heads.
  ///   - preprocessing: Of pictures. Captions are known by their tokens, whichever tokenizer made them.
  ///   - precision: Of the products.
  /// - Throws: What the file system refuses.
  init(
    folder: String?, weightsHash: String, configuration: CLIPConfiguration,
    preprocessing: ImagePreprocessing, precision: ProductPrecision
  ) throws {
    let width = configuration.embedDim
    guard let folder else {
      images = FeatureStore(width: width)
      texts = FeatureStore(width: width)
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    func text(_ value: some Encodable) throws -> String {
      String(decoding: try encoder.encode(value), as: UTF8.self)
    }
    var description = [
      "program": "\(Self.programVersion)", "weights": weightsHash,
      "configuration": try text(configuration), "precision": precision.rawValue, "tower": "text",
    ]
    texts = try FeatureStore(folder: folder, description: description, width: width)
    description["tower"] = "image"
    description["preprocessing"] = try text(preprocessing)
    images = try FeatureStore(folder: folder, description: description, width: width)
  }

  /// Writes what is new and worth two fsyncs.
  func flush(atLeast least: Int = 1) throws {
    try images.flush(atLeast: least)
    try texts.flush(atLeast: least)
  }

  func forget() {
    images.forget()
    texts.forget()
  }
}
