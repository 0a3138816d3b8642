import TensorEngine
public import WeightFiles

/// An opened weight file of a CLIP in whatever layout, its tensors under our names.
public struct CLIPWeights {
  /// How a tensor of ours is made from those of the file.
  private enum Source {
    case same(String)
    case transposed(String)
    /// One below the other.
    case joined([String])
  }

  public let reader: WeightReader
  public let layout: CLIPLayout
  /// What the file holds beside the weights, and nothing needs.
  public let ignored: [String]
  /// By our names.
  public let shapes: [String: [Int]]
  private let sources: [String: Source]

  /// Opens a file; no tensor is read yet.
  ///
  /// - Parameters:
  ///   - path: Any format that ``WeightReader`` reads.
  ///   - wrapper: The key to read where a checkpoint holds several state dicts.
  /// - Throws: `WeightFileError`, or ``CLIPError`` for weights that are no CLIP.
  public init(_ path: String, wrapper: String? = nil) throws {
    try self.init(WeightReader(path, wrapper: wrapper))
  }

  /// As ``init(_:wrapper:)``, over an opened file.
  package init(_ reader: WeightReader) throws {
    self.reader = reader
    let names = Self.unwrapped(reader.entries.map(\.name))
    layout = try CLIPLayout(names: Set(names.keys), file: reader.name)
    let fileShapes = reader.shapes
    var sources: [String: Source] = [:]
    var shapes: [String: [Int]] = [:]
    var ignored: [String] = []
    // Sorted, so that the q of a block comes after its k, and v last: they wait for each other.
    for (name, original) in names.sorted(by: { $0.key < $1.key }) {
      let shape = fileShapes[original] ?? []
      if Self.isIgnored(name) {
        ignored.append(original)
        continue
      }
      let (ours, isTransposed) = Self.ourName(name, layout)
      if let (joined, parts) = Self.joinedName(name, layout) {
        let originals = parts.compactMap { names[$0] }
        guard originals.count == 3, let rows = shape.first,
          originals.allSatisfy({ fileShapes[$0] == shape })
        else {  // The model will name what it cannot use.
          sources[name] = .same(original)
          shapes[name] = shape
          continue
        }
        sources[joined] = .joined(originals)
        shapes[joined] = [3 * rows] + shape.dropFirst()
      } else if isTransposed, shape.count == 2 {
        sources[ours] = .transposed(original)
        shapes[ours] = shape.reversed()
      } else {
        sources[ours] = .same(original)
        shapes[ours] = shape
      }
    }
    self.sources = sources
    self.shapes = shapes
    self.ignored = ignored.sorted()
  }

  /// Reads every weight of a model of these sizes; one tensor after the other is turned into our layout.
  ///
  /// - Throws: ``CLIPError`` that names what does not fit, before a tensor is read; `WeightFileError`.
  public func file(for configuration: CLIPConfiguration) throws -> WeightFile {
    try configuration.check(shapes, file: reader.name)
    return try file()
  }

  /// Reads every weight.
  public func file() throws -> WeightFile {
    var file = WeightFile(tensors: [:], metadata: reader.contents.metadata, name: reader.name)
    for (name, source) in sources {
      switch source {
      case .same(let original): file.tensors[name] = try reader.tensor(original)
      case .transposed(let original):
        file.tensors[name] = Self.transposed(try reader.tensor(original))
      case .joined(let originals):
        var values: [Float] = []
        for original in originals { values += try reader.tensor(original).values }
        file.tensors[name] = Tensor(shape: shapes[name] ?? [], values)
      }
    }
    return file
  }

  /// Names without what training programs put before them, and the names in the file.
  private static func unwrapped(_ names: [String]) -> [String: String] {
    // torch.compile puts its mark wherever a module was compiled.
    var inner = names.map { ($0.replacing("_orig_mod.", with: ""), $0) }
    var isChanged = true
    while isChanged {
      isChanged = false
      for prefix in ["module.", "model.", "clip_model.", "clip."]
      where !inner.isEmpty && inner.allSatisfy({ $0.0.hasPrefix(prefix) }) {
        inner = inner.map { (String($0.0.dropFirst(prefix.count)), $0.1) }
        isChanged = true
      }
    }
    // Two that are one without their prefixes: the model will miss neither, the first is taken.
    return Dictionary(inner, uniquingKeysWith: { first, _ in first })
  }

  /// Masks, numbers and counters that older files and training hold beside the weights.
  private static func isIgnored(_ name: String) -> Bool {
    // A checkpoint of a run holds moments and averages beside the weights.
    if name.hasPrefix("optimizer.") || name.hasPrefix("ema.") { return true }
    let last = name.split(separator: ".").last.map(String.init) ?? name
    return [
      "attn_mask", "input_resolution", "context_length", "vocab_size", "position_ids",
      "num_batches_tracked",
    ].contains(last)
  }

  private static func ourName(
    _ name: String, _ layout: CLIPLayout
  ) -> (name: String, isTransposed: Bool) {
    switch layout {
    case .openCLIP: return (name, false)
    case .customText: return (name.hasPrefix("text.") ? String(name.dropFirst(5)) : name, false)
    case .huggingFace:
      if let row = HuggingFaceNames.single.first(where: { $0.theirs == name }) {
        return (row.ours, row.isTransposed)
      }
      for tower in HuggingFaceNames.towers {
        if let (number, rest) = HuggingFaceNames.blockName(name, prefix: tower.theirs),
          let row = HuggingFaceNames.block.first(where: { $0.theirs == rest })
        {
          return ("\(tower.ours)\(number).\(row.ours)", false)
        }
      }
      return (name, false)
    }
  }

  /// The joined tensor that a query, key or value belongs to, and all three names in their order.
  private static func joinedName(
    _ name: String, _ layout: CLIPLayout
  ) -> (name: String, parts: [String])? {
    guard layout == .huggingFace else { return nil }
    for tower in HuggingFaceNames.towers {
      guard let (number, rest) = HuggingFaceNames.blockName(name, prefix: tower.theirs),
        let row = HuggingFaceNames.attention.first(where: { $0.theirs.contains(rest) })
      else { continue }
      return (
        "\(tower.ours)\(number).\(row.ours)", row.theirs.map { "\(tower.theirs)\(number).\($0)" }
      )
    }
    return nil
  }

  /// The matrix with rows and columns exchanged.
  static func transposed(_ tensor: Tensor) -> Tensor {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    // Rows of nothing may be without number.
    if tensor.count == 0 { return Tensor(shape: [columns, rows]) }
    var result = Tensor(shape: [columns, rows])
    tensor.withSpan { source in
      result.withMutableSpan { target in
        for row in 0..<rows {
          for column in 0..<columns { target[column * rows + row] = source[row * columns + column] }
        }
      }
    }
    return result
  }
}
