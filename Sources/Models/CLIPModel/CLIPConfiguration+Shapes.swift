extension CLIPConfiguration {
  /// Visits the name and shape of every parameter and buffer of such a model, and makes none of them.
  ///
  /// - Parameter visit: Whether to go on.
  package func visitShapes(_ visit: (String, [Int]) -> Bool) {
    withoutActuallyEscaping(visit) { visit in
      var sequence = ShapeSequence(visit: visit)
      if vision.isResNet {
        sequence.resNet(vision, embedDim)
      } else {
        sequence.visionTransformer(vision, embedDim)
      }
      sequence.textTransformer(text, embedDim)
      sequence.give("logit_scale", [])
      if initialLogitBias != nil { sequence.give("logit_bias", []) }
    }
  }

  /// What older files of OpenAI and open_clip hold beside the weights.
  private static let ignoredNames: Set<String> = [
    "attn_mask", "input_resolution", "context_length", "vocab_size",
  ]
  /// Where the search for what is missing ends: a configuration may ask for any number of layers.
  private static let mostProblems = 1000

  /// Compares the weights of a file with those of such a model, before memory is taken for either.
  ///
  /// - Parameters:
  ///   - shapes: By our names.
  ///   - file: For messages.
  /// - Throws: ``CLIPError`` that names what is missing, unexpected or of another shape.
  package func check(_ shapes: [String: [Int]], file: String) throws(CLIPError) {
    if let problem { throw CLIPError(.configuration(problem), file: file) }
    var (missing, mismatched): ([String], [CLIPError.ShapeMismatch]) = ([], [])
    // torch counts batches beside running statistics; nothing reads the count.
    var unexpected = Set(shapes.keys.filter { !$0.hasSuffix(".num_batches_tracked") })
      .subtracting(Self.ignoredNames)
    visitShapes { name, shape in
      unexpected.remove(name)
      if let found = shapes[name] {
        // Some files hold scale and bias as [1].
        let isScalar = shape.isEmpty && found == [1]
        if found != shape && !isScalar {
          mismatched.append(.init(name: name, expected: shape, found: found))
        }
      } else {
        missing.append(name)
      }
      return missing.count + mismatched.count < Self.mostProblems
    }
    // Where the search was cut short, nobody knows what it had still to meet.
    if missing.count + mismatched.count >= Self.mostProblems { unexpected = [] }
    guard missing.isEmpty, unexpected.isEmpty, mismatched.isEmpty else {
      throw CLIPError(
        .weights(missing: missing, unexpected: unexpected.sorted(), mismatched: mismatched),
        file: file)
    }
  }
}

/// Names and shapes one after the other, until it is told to stop.
private struct ShapeSequence {
  let visit: (String, [Int]) -> Bool
  var isStopped = false

  init(visit: @escaping (String, [Int]) -> Bool) { self.visit = visit }

  mutating func give(_ name: String, _ shape: [Int]) {
    if !isStopped { isStopped = !visit(name, shape) }
  }

  /// A weight and its bias.
  private mutating func pair(_ name: String, _ shape: [Int]) {
    give(name + ".weight", shape)
    give(name + ".bias", [shape[0]])
  }

  private mutating func blocks(
    _ prefix: String, count: Int, width: Int, hidden: Int, isScaled: Bool
  ) {
    for index in 0..<count {
      if isStopped { return }
      let block = "\(prefix)transformer.resblocks.\(index)."
      pair(block + "ln_1", [width])
      give(block + "attn.in_proj_weight", [3 * width, width])
      give(block + "attn.in_proj_bias", [3 * width])
      pair(block + "attn.out_proj", [width, width])
      if isScaled { give(block + "ls_1.gamma", [width]) }
      pair(block + "ln_2", [width])
      pair(block + "mlp.c_fc", [hidden, width])
      pair(block + "mlp.c_proj", [width, hidden])
      if isScaled { give(block + "ls_2.gamma", [width]) }
    }
  }

  mutating func textTransformer(_ text: CLIPConfiguration.Text, _ embedDim: Int) {
    give("positional_embedding", [text.contextLength, text.width])
    give("text_projection", [text.width, embedDim])
    give("token_embedding.weight", [text.vocabularySize, text.width])
    pair("ln_final", [text.width])
    blocks(
      "", count: text.layers, width: text.width, hidden: text.hidden,
      isScaled: text.layerScale != nil)
  }

  mutating func visionTransformer(_ vision: CLIPConfiguration.Vision, _ embedDim: Int) {
    let (width, patch, grid) = (vision.width, vision.patchSize, vision.gridSize)
    give("visual.class_embedding", [width])
    give("visual.positional_embedding", [grid * grid + 1, width])
    give("visual.proj", [width, embedDim])
    give("visual.conv1.weight", [width, 3, patch, patch])
    pair("visual.ln_pre", [width])
    pair("visual.ln_post", [width])
    blocks(
      "visual.", count: vision.layers, width: width, hidden: vision.hidden,
      isScaled: vision.layerScale != nil)
  }

  mutating func resNet(_ vision: CLIPConfiguration.Vision, _ embedDim: Int) {
    let (stem, features) = (vision.width / 2, vision.attentionWidth)
    for (index, (inputs, outputs)) in [(3, stem), (stem, stem), (stem, vision.width)].enumerated() {
      give("visual.conv\(index + 1).weight", [outputs, inputs, 3, 3])
      norm("visual.bn\(index + 1)", outputs)
    }
    var inputs = vision.width
    for (stage, count) in vision.stages.enumerated() {
      let planes = vision.width << stage
      for index in 0..<count {
        bottleneck(
          "visual.layer\(stage + 1).\(index).", inputs, planes, isNarrowed: index == 0 && stage > 0)
        inputs = 4 * planes
      }
    }
    give(
      "visual.attnpool.positional_embedding", [vision.gridSize * vision.gridSize + 1, features])
    for part in ["k", "q", "v"] { pair("visual.attnpool.\(part)_proj", [features, features]) }
    pair("visual.attnpool.c_proj", [embedDim, features])
  }

  private mutating func bottleneck(
    _ prefix: String, _ inputs: Int, _ planes: Int, isNarrowed: Bool
  ) {
    for (index, shape) in [
      [planes, inputs, 1, 1], [planes, planes, 3, 3], [4 * planes, planes, 1, 1],
    ].enumerated() {
      give("\(prefix)conv\(index + 1).weight", shape)
      norm("\(prefix)bn\(index + 1)", shape[0])
    }
    guard isNarrowed || inputs != 4 * planes else { return }
    give(prefix + "downsample.0.weight", [4 * planes, inputs, 1, 1])
    norm(prefix + "downsample.1", 4 * planes)
  }

  private mutating func norm(_ name: String, _ width: Int) {
    pair(name, [width])
    give(name + ".running_mean", [width])
    give(name + ".running_var", [width])
  }
}
