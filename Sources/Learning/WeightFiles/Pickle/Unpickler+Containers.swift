/// What is put into containers that are there already.
extension Unpickler {
  func items(_ values: [PickleValue]) throws(WeightFileError) -> [PickleNode.Item] {
    guard values.count % 2 == 0 else { throw cursor.fail("a key has no value") }
    return stride(from: 0, to: values.count, by: 2).map {
      .init(key: values[$0], value: values[$0 + 1])
    }
  }

  mutating func extend(_ values: [PickleValue]) throws(WeightFileError) {
    guard case .node(let index) = try top() else { throw cursor.fail("no list") }
    try charge(entries: values.count)
    // Taken out meanwhile, so that the array grows in its place.
    let node = graph.nodes[index]
    graph.nodes[index] = .taken
    graph.nodes[index] = try extended(node, values)
  }

  private func extended(
    _ node: consuming PickleNode, _ values: [PickleValue]
  ) throws(WeightFileError) -> PickleNode {
    switch consume node {
    case .list(var list):
      list += values
      return .list(list)
    case .set(var list):
      list += values
      return .set(list)
    case .object(let type, let arguments, let state):  // Items of a class that is only recorded.
      return .object(type: type, arguments: arguments, state: state)
    default: throw cursor.fail("something is appended to what is no list")
    }
  }

  mutating func set(_ items: [PickleNode.Item]) throws(WeightFileError) {
    guard case .node(let index) = try top() else { throw cursor.fail("no dictionary") }
    try charge(entries: 2 * items.count)
    switch graph.nodes[index] {
    case .dictionary(var dictionary):
      graph.nodes[index] = .taken
      dictionary += items
      graph.nodes[index] = .dictionary(dictionary)
    case .object: break
    default: throw cursor.fail("a key is set in what is no dictionary")
    }
  }
}
