/// What the listed classes and functions do, carried out here.
extension Unpickler {
  /// REDUCE: a call of `function`.
  mutating func call(
    _ function: PickleValue, _ arguments: PickleValue
  ) throws(WeightFileError) -> PickleValue {
    guard case .global(let global) = function, let parts = graph.tuple(arguments) else {
      throw cursor.fail("a call of what is no function")
    }
    switch global {
    case .dictionary:
      // OrderedDict of pairs, as older programs wrote it.
      guard let first = parts.last, let node = graph[first] else {
        return try made(.dictionary([]))
      }
      switch node {
      case .dictionary(let items): return try made(.dictionary(items))
      case .list(let pairs):
        var items: [PickleNode.Item] = []
        for pair in pairs {
          let sides: [PickleValue]
          switch graph[pair] {
          case .tuple(let values)?, .list(let values)?: sides = values
          default: sides = []
          }
          guard sides.count == 2 else { throw cursor.fail("a dictionary of what are no pairs") }
          items.append(.init(key: sides[0], value: sides[1]))
        }
        return try made(.dictionary(items))
      default: return try made(.dictionary([]))
      }
    case .sequence, .set:
      var values: [PickleValue] = []
      if let first = parts.first {
        switch graph[first] {
        case .list(let list)?, .tuple(let list)?, .set(let list)?: values = list
        default: throw cursor.fail("a list of what is no list")
        }
      }
      return try made(global == .set ? .set(values) : .tuple(values))
    case .encodedText:
      guard case .text(let text)? = parts.first else { throw cursor.fail("no text to encode") }
      try charge(bytes: text.utf8.count)
      var bytes: [UInt8] = []
      for scalar in text.unicodeScalars {
        guard let byte = UInt8(exactly: scalar.value) else { throw cursor.fail("no latin-1") }
        bytes.append(byte)
      }
      return .bytes(bytes)
    case .rebuildTensor:
      return try tensor(parts, format: nil)
    case .rebuildTensorWithType:
      guard parts.count >= 7, case .global(.numberType(let format)) = parts[6] else {
        throw cursor.fail("a tensor without a type of number that is read")
      }
      return try tensor(parts, format: format)
    case .rebuildParameter:
      guard let first = parts.first, case .tensor? = graph[first] else {
        throw cursor.fail("a parameter without a tensor")
      }
      return first
    case .rebuildFromType:
      guard parts.count >= 3 else { throw cursor.fail("a tensor without its arguments") }
      return try call(rebuildable(parts[0]), parts[2])
    case .wrapped:
      guard let first = parts.first else { throw cursor.fail("a list without its values") }
      return first
    case .record:
      return try made(.object(type: global, arguments: arguments, state: .none))
    case .storage, .bytesStorage, .numberType:
      throw cursor.fail("a call of a type of number")
    }
  }

  /// A function that makes a tensor; no chain of calls, so that none is too deep.
  private func rebuildable(_ value: PickleValue) throws(WeightFileError) -> PickleValue {
    switch value {
    case .global(.rebuildTensor), .global(.rebuildTensorWithType), .global(.rebuildParameter): value
    default: throw cursor.fail("a tensor that is rebuilt in a way that is not known")
    }
  }

  /// NEWOBJ: an object of `type`, its constructor not run.
  mutating func instance(
    of type: PickleValue, _ arguments: PickleValue
  ) throws(WeightFileError) -> PickleValue {
    guard case .global(let global) = type else { throw cursor.fail("an object without a class") }
    switch global {
    case .dictionary, .sequence, .set: return try call(type, arguments)
    case .record: return try made(.object(type: global, arguments: arguments, state: .none))
    default: throw cursor.fail("an object of what is no class")
    }
  }

  /// BUILD: sets the fields of a recorded object.
  mutating func build(_ value: PickleValue, _ state: PickleValue) throws(WeightFileError) {
    guard case .node(let index) = value else { throw cursor.fail("fields of what is no object") }
    switch graph.nodes[index] {
    case .object(let type, let arguments, _):
      graph.nodes[index] = .object(type: type, arguments: arguments, state: state)
    case .dictionary, .tensor: break  // A state dict's `_metadata`, a parameter's attributes.
    default: throw cursor.fail("fields of what is no object")
    }
  }

  /// Of the name of a storage, which torch numbers; each tensor looks it up.
  private static let mostKeyBytes = 1000

  /// A persistent id: `("storage", type, key, location, count)`.
  mutating func storage(named value: PickleValue) throws(WeightFileError) -> PickleValue {
    guard let parts = graph.tuple(value), parts.count >= 5, parts[0] == .text("storage"),
      case .global(let type) = parts[1], case .text(let key) = parts[2],
      case .int(let count) = parts[4], count >= 0, key.utf8.count <= Self.mostKeyBytes
    else { throw cursor.fail("a storage that is not torch's") }
    switch type {
    case .storage(let format):
      return try made(.storage(TorchStorage(key: key, format: format, count: count)))
    case .bytesStorage:
      return try made(.storage(TorchStorage(key: key, format: nil, count: count)))
    default: throw cursor.fail("a storage of a type that is not known")
    }
  }

  /// `(storage, offset, shape, strides, …)`, checked to lie within the storage.
  private mutating func tensor(
    _ parts: [PickleValue], format: NumberFormat?
  ) throws(WeightFileError) -> PickleValue {
    guard parts.count >= 4, case .storage(let storage)? = graph[parts[0]],
      case .int(let offset) = parts[1], let shape = graph.integers(parts[2]),
      let strides = graph.integers(parts[3]), shape.count == strides.count
    else { throw cursor.fail("a tensor that is not torch's") }
    guard let format = format ?? storage.format else {
      throw cursor.fail("a tensor without a type of number")
    }
    let room = storage.format == nil ? storage.count / format.byteCount : storage.count
    let tensor = TorchTensor(
      storage: storage, format: format, offset: offset, shape: shape, strides: strides)
    guard tensor.isWithin(room) else {
      throw WeightFileError(.outsideStorage(elements: room), file: cursor.file)
    }
    return try made(.tensor(tensor))
  }
}
