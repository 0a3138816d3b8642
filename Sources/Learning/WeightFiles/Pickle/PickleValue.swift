/// A value of a pickle: a plain one, or the place of a container among the ``PickleGraph/nodes``.
///
/// Containers are numbers rather than references, so that neither cycles nor a million nested tuples
/// can leak memory or exhaust the stack.
enum PickleValue: Equatable, Sendable {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case text(String)
  case bytes([UInt8])
  /// An integer beyond 64 bits, or another value that no weight needs.
  case other
  case global(PickleGlobal)
  case node(Int)
}

/// A container of a pickle.
enum PickleNode: Sendable {
  struct Item: Sendable {
    var key: PickleValue
    var value: PickleValue
  }

  case list([PickleValue])
  case tuple([PickleValue])
  case set([PickleValue])
  case dictionary([Item])
  /// An object that stays a record of what made it: no constructor is run.
  case object(type: PickleGlobal, arguments: PickleValue, state: PickleValue)
  case storage(TorchStorage)
  case tensor(TorchTensor)
  /// Its contents are being changed.
  case taken

  /// The values that it holds.
  var count: Int {
    switch self {
    case .list(let values), .tuple(let values), .set(let values): values.count
    case .dictionary(let items): 2 * items.count
    case .object, .storage, .tensor, .taken: 1
    }
  }
}

/// Numbers in a member of the archive.
struct TorchStorage: Equatable, Sendable {
  /// The member's name behind `data/`.
  var key: String
  /// Nil for bytes whose tensors say what they are.
  var format: NumberFormat?
  /// Numbers, or bytes where no format is given.
  var count: Int
}

/// A view into a storage; checked to lie within it.
struct TorchTensor: Equatable, Sendable {
  var storage: TorchStorage
  var format: NumberFormat
  /// In numbers of the format.
  var offset: Int
  var shape: [Int]
  var strides: [Int]
}

/// What a pickle holds.
struct PickleGraph: Sendable {
  var nodes: [PickleNode] = []
  var root = PickleValue.none
  /// Of a tensor: torch's own bound.
  private static let mostSides = 64

  subscript(_ value: PickleValue) -> PickleNode? {
    guard case .node(let index) = value else { return nil }
    return nodes[index]
  }

  /// The parts of a tuple.
  func tuple(_ value: PickleValue) -> [PickleValue]? {
    guard case .tuple(let parts)? = self[value] else { return nil }
    return parts
  }

  /// The numbers of a tuple or a list of whole numbers, as many as a tensor may have sides.
  func integers(_ value: PickleValue) -> [Int]? {
    let parts: [PickleValue]
    switch self[value] {
    case .tuple(let values)?, .list(let values)?: parts = values
    default: return nil
    }
    guard parts.count <= Self.mostSides else { return nil }
    var integers: [Int] = []
    for part in parts {
      guard case .int(let integer) = part else { return nil }
      integers.append(integer)
    }
    return integers
  }
}
