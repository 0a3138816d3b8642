/// The state dict inside a pickle: tensors under dotted names, and what stands beside them.
struct TensorTree {
  var tensors: [String: TorchTensor] = [:]
  /// Plain numbers and texts beside the tensors.
  var facts: [String: String] = [:]
  /// The keys that led to the tensors, from the outside.
  var wrappers: [String] = []
  /// Other keys that hold tensors beside those, such as `state_dict_ema`.
  var alternatives: [String] = []

  /// Where programs put a state dict, the usual place first.
  static let usualWrappers = [
    "state_dict", "model_state_dict", "model", "module", "net", "network", "state_dict_ema",
    "model_ema", "ema",
  ]
  private static let mostDepth = 64
  private static let mostVisits = 1 << 20
  /// Of all names together: each holds the keys of all dictionaries around it.
  private static let mostNameBytes = 16 << 20

  private let graph: PickleGraph
  private let file: String
  private var visits = 0
  private var nameBytes = 0
  /// By node, whether it is a dictionary with a tensor among its values.
  private let hasTensor: [Bool]

  /// Finds the state dict.
  ///
  /// - Parameters:
  ///   - graph: What the pickle holds.
  ///   - wrapper: The key to take where there are several; nil for the usual one.
  ///   - file: For messages.
  /// - Throws: ``WeightFileError`` that says what is there in place of tensors.
  init(_ graph: PickleGraph, wrapper: String?, file: String) throws(WeightFileError) {
    self.graph = graph
    self.file = file
    // Once for all: a key may stand in a dictionary, and a dictionary behind a key, any number of times.
    hasTensor = graph.nodes.map { node in
      guard case .dictionary(let items) = node else { return false }
      return items.contains { if case .tensor? = graph[$0.value] { true } else { false } }
    }
    var root = graph.root
    if let wrapper {
      guard let items = items(root), let item = items.last(where: { $0.key == .text(wrapper) })
      else {
        throw WeightFileError(
          .noTensors("there is no \(wrapper) among \(keys(root))"), file: file)
      }
      (alternatives, wrappers) = (holders(root, but: wrapper), [wrapper])
      root = item.value
    }
    for _ in 0..<4 where !holdsTensors(root) {
      guard case .dictionary(let items)? = graph[root],
        let inner = Self.usualWrappers.lazy.compactMap({ key in
          items.last { $0.key == .text(key) }
        }).first(where: { holdsTensors($0.value) || nests($0.value) }),
        case .text(let key) = inner.key
      else { break }
      alternatives += holders(root, but: key)
      wrappers.append(key)
      root = inner.value
    }
    try collect(root, prefix: "", depth: 0)
    if tensors.isEmpty {
      throw WeightFileError(.noTensors("the file holds \(keys(graph.root))"), file: file)
    }
  }

  private func items(_ value: PickleValue) -> [PickleNode.Item]? {
    switch graph[value] {
    case .dictionary(let items)?: items
    case .object(_, _, let state)?:
      if case .dictionary(let items)? = graph[state] { items } else { nil }
    default: nil
    }
  }

  /// Whether a dictionary has a tensor among its values; an object holds its attributes' too.
  private func holdsTensors(_ value: PickleValue) -> Bool {
    guard case .node(let index) = value else { return false }
    if case .object = graph.nodes[index] { return true }
    return hasTensor[index]
  }

  private func nests(_ value: PickleValue) -> Bool {
    guard case .dictionary(let items)? = graph[value] else { return false }
    return items.contains {
      if case .text(let key) = $0.key { Self.usualWrappers.contains(key) } else { false }
    }
  }

  private func holders(_ value: PickleValue, but key: String) -> [String] {
    (items(value) ?? []).compactMap {
      guard case .text(let name) = $0.key, name != key, case .dictionary? = graph[$0.value],
        holdsTensors($0.value)
      else { return nil }
      return name
    }.sorted()
  }

  /// The first keys of a dictionary, for messages.
  private func keys(_ value: PickleValue) -> String {
    guard let items = items(value) else { return "no dictionary" }
    let names = items.prefix(6).map {
      if case .text(let name) = $0.key { String(name.prefix(60)) } else { "a key that is no text" }
    }
    return names.isEmpty
      ? "nothing" : names.joined(separator: ", ") + (items.count > 6 ? ", …" : "")
  }

  private mutating func collect(
    _ value: PickleValue, prefix: String, depth: Int
  ) throws(WeightFileError) {
    guard let items = items(value) else { return }
    guard depth <= Self.mostDepth, visits + items.count <= Self.mostVisits else {
      throw WeightFileError(.noTensors("its dictionaries are nested without end"), file: file)
    }
    visits += items.count
    for item in items {
      guard case .text(let key) = item.key else { continue }
      nameBytes += prefix.utf8.count + key.utf8.count
      guard nameBytes <= Self.mostNameBytes else {
        throw WeightFileError(
          .noTensors("its names have more than \(Self.mostNameBytes) bytes together"), file: file)
      }
      let name = prefix + key
      switch item.value {
      case .int(let number): facts[name] = "\(number)"
      case .float(let number): facts[name] = "\(number)"
      case .text(let text): facts[name] = text
      default: break
      }
      switch graph[item.value] {
      case .tensor(let tensor)?:
        tensors[name] = tensor
      case .dictionary?, .object?:
        try collect(item.value, prefix: name + ".", depth: depth + 1)
      default: break
      }
    }
  }
}
