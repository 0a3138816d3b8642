import CLIPModel
import ContentHashing
import DurableFiles
import WeightFiles
import Yams

/// The key `start_from` of a manifest: weights that a run begins with, in the layout of any library.
///
/// A path, or a mapping of `path` and `tower` (image | text: that tower alone, the rest is drawn).
public struct StartingWeights: Sendable, Equatable {
  /// The part of a model that is taken over.
  public enum Tower: String, Sendable, CaseIterable {
    case image, text

    func holds(_ name: String) -> Bool {
      switch self {
      case .image: name.hasPrefix("visual.")
      case .text: !name.hasPrefix("visual.") && !name.hasPrefix("logit_")
      }
    }
  }

  public var path: String
  /// Nil for all.
  public var tower: Tower?

  public init(path: String, tower: Tower? = nil) {
    self.path = path
    self.tower = tower
  }

  static func read(_ reader: ManifestReader) throws(ManifestError) -> StartingWeights? {
    guard let node = reader.node("start_from") else { return nil }
    if let path = node.scalar?.string { return StartingWeights(path: path) }
    let section = try ManifestReader(node, path: "start_from", manifest: reader.manifest)
    guard let path = try section.string("path") else {
      throw section.error("path", "is missing: weights, or the folder that holds them")
    }
    let weights = StartingWeights(path: path, tower: try section.choice("tower"))
    try section.finish()
    return weights
  }

  /// What there is to know before the weights are read; nil for a checkpoint, whose sizes and tokenizer are those of
  /// its run's manifest.
  func bundle() throws -> CLIPBundle? {
    if !DurableFile.isFolder(path) {
      let isCheckpoint = try CLIPWeights(path).ignored.contains { $0.hasPrefix("optimizer.") }
      if isCheckpoint { return nil }
    }
    return try CLIPBundle.read(path)
  }

  /// Puts the weights into a model of the same sizes.
  ///
  /// A model that has a `logit_bias` which the weights lack keeps its own.
  ///
  /// - Returns: A hash of what was taken over.
  /// - Throws: `CLIPError` that names what is missing or of another shape; `WeightFileError`.
  func load(into model: CLIP) throws -> String {
    let bundle = try bundle()
    let weightsPath = bundle?.weightsPath ?? path
    let weights = try CLIPWeights(weightsPath, wrapper: bundle?.wrapper)
    var file = try weights.file()
    let own = model.state
    if let tower { file.tensors = file.tensors.filter { tower.holds($0.key) } }
    for (name, tensor) in own where file.tensors[name] == nil {
      let isOfOther = tower.map { !$0.holds(name) } ?? (name == "logit_bias")
      if isOfOther { file.tensors[name] = tensor }
    }
    try model.load(file)
    var hash = ContentHash()
    hash.update(Array((tower?.rawValue ?? "all").utf8))
    hash.update(try DurableFile.read(weightsPath))
    return hash.hexDigest()
  }
}
