extension CLIPConfiguration {
  /// The sizes of a model that its weights tell.
  ///
  /// OpenAI's rules (`build_model` in its `model.py`); heads are those of open_clip's configuration of
  /// the same towers, else 64 wide. The activation is not in the weights: `quickGELU` is to be set.
  ///
  /// - Parameters:
  ///   - shapes: By our names.
  ///   - file: For messages.
  /// - Returns: Sizes of which a model can be made.
  /// - Throws: ``CLIPError`` that names the weight that is missing or odd.
  package static func inferred(
    from shapes: [String: [Int]], file: String
  ) throws(CLIPError) -> CLIPConfiguration {
    let found = FoundShapes(shapes: shapes, file: file)
    let projection = try found.shape("text_projection", sides: 2)
    var configuration = CLIPConfiguration(
      embedDim: projection[1], vision: try vision(found), text: try text(found))
    if let named = names.lazy.compactMap({ Self.named($0) }).first(where: {
      $0.hasTowers(of: configuration)
    }) {
      configuration.vision.headWidth = named.vision.headWidth
      configuration.vision.mlpRatio = named.vision.mlpRatio
      configuration.text.heads = named.text.heads
      configuration.text.mlpRatio = named.text.mlpRatio
      configuration.vision.layerScale = named.vision.layerScale
      configuration.text.layerScale = named.text.layerScale
    }
    if let problem = configuration.problem {
      throw found.fail("\(problem); name the configuration with --model-config")
    }
    return configuration
  }

  private static func vision(_ found: FoundShapes) throws(CLIPError) -> Vision {
    if found.shapes["visual.layer1.0.conv1.weight"] != nil { return try resNet(found) }
    let patches = try found.shape("visual.conv1.weight", sides: 4)
    let positions = try found.shape("visual.positional_embedding", sides: 2)
    let grid = Int(Double(max(positions[0] - 1, 0)).squareRoot())
    guard grid > 0, grid * grid == positions[0] - 1, patches[2] == patches[3], patches[2] > 0,
      patches[2] <= 1_000_000, grid <= 1_000_000
    else {
      throw found.fail(
        "visual.positional_embedding \(positions) is no square of patches \(patches) and a class")
    }
    let prefix = "visual.transformer.resblocks."
    return Vision(
      imageSize: grid * patches[2], layers: found.blocks(prefix), width: patches[0],
      patchSize: patches[2],
      mlpRatio: try found.mlpRatio(prefix, width: patches[0]), layerScale: found.layerScale(prefix))
  }

  /// OpenAI's ResNet; its heads are 64 wide in all of its sizes.
  private static func resNet(_ found: FoundShapes) throws(CLIPError) -> Vision {
    let positions = try found.shape("visual.attnpool.positional_embedding", sides: 2)
    let grid = Int(Double(max(positions[0] - 1, 0)).squareRoot())
    guard grid > 0, grid * grid == positions[0] - 1, grid <= 1_000_000 / 32 else {
      throw found.fail("visual.attnpool.positional_embedding \(positions) is no square and a mean")
    }
    return Vision(
      imageSize: grid * 32, width: try found.shape("visual.layer1.0.conv1.weight", sides: 4)[0],
      stages: (1...4).map { found.blocks("visual.layer\($0).") })
  }

  private static func text(_ found: FoundShapes) throws(CLIPError) -> Text {
    let tokens = try found.shape("token_embedding.weight", sides: 2)
    let positions = try found.shape("positional_embedding", sides: 2)
    let prefix = "transformer.resblocks."
    return Text(
      contextLength: positions[0], vocabularySize: tokens[0], width: tokens[1],
      heads: max(1, tokens[1] / 64), layers: found.blocks(prefix),
      mlpRatio: try found.mlpRatio(prefix, width: tokens[1]), layerScale: found.layerScale(prefix))
  }

  /// Whether both have towers of the same widths, depths and patches; sides and heads may differ.
  private func hasTowers(of other: CLIPConfiguration) -> Bool {
    embedDim == other.embedDim && vision.width == other.vision.width
      && vision.layers == other.vision.layers && vision.patchSize == other.vision.patchSize
      && vision.hidden == other.vision.hidden && vision.stages == other.vision.stages
      && (vision.layerScale == nil) == (other.vision.layerScale == nil)
      && text.width == other.text.width
      && text.layers == other.text.layers && text.hidden == other.text.hidden
  }

  /// open_clip's name of this model, or of one with the same towers; nil if there is neither.
  public var nearestName: (name: String, isExact: Bool)? {
    let all = Self.names.flatMap { [$0, $0 + "-quickgelu"] }
    if let name = all.first(where: { Self.named($0) == self }) { return (name, true) }
    return all.first {
      guard let named = Self.named($0) else { return false }
      return named.quickGELU == quickGELU && named.hasTowers(of: self)
    }.map { ($0, false) }
  }
}

/// Shapes of weights, asked for by name.
private struct FoundShapes {
  var shapes: [String: [Int]]
  var file: String

  func fail(_ problem: String) -> CLIPError { CLIPError(.configuration(problem), file: file) }

  func shape(_ name: String, sides: Int) throws(CLIPError) -> [Int] {
    guard let shape = shapes[name] else { throw fail("the weights lack \(name)") }
    guard shape.count == sides else {
      throw fail("\(name) has the shape \(shape); \(sides) sides are wanted")
    }
    return shape
  }

  /// Blocks with a number behind `prefix`.
  func blocks(_ prefix: String) -> Int {
    Set(shapes.keys.compactMap { HuggingFaceNames.blockName($0, prefix: prefix)?.number }).count
  }

  /// 1 where the blocks have factors: what they were at first is not in the weights, and they are loaded.
  func layerScale(_ prefix: String) -> Double? {
    shapes[prefix + "0.ls_1.gamma"] == nil ? nil : 1
  }

  func mlpRatio(_ prefix: String, width: Int) throws(CLIPError) -> Double {
    let hidden = try shape(prefix + "0.mlp.c_fc.weight", sides: 2)[0]
    guard width > 0 else { throw fail("\(prefix)0 has no width") }
    let ratio = Double(hidden) / Double(width)
    // The product is cut to a whole number, which a quotient rounded down would miss by one.
    return Int(Double(width) * ratio) == hidden ? ratio : ratio.nextUp
  }
}
