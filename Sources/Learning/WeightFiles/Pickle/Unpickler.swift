/// Reads a pickle of protocols 0 to 5 without running anything.
///
/// Classes and functions are looked up in ``PickleGlobal``'s table; the calls that rebuild tensors and
/// dictionaries are carried out here, those of other listed classes are recorded. Stack, memo, containers
/// and the pickle itself are bounded. Source: CPython's `pickletools.py`.
struct Unpickler {
  /// Of a pickle: a checkpoint with its optimizer state has less than one MB.
  static let mostBytes = 64 << 20
  private static let mostValues = 1 << 20
  /// Of all containers together: some twenty stand for each tensor.
  private static let mostEntries = 1 << 22

  var cursor: PickleCursor
  let isTorchScript: Bool
  var graph = PickleGraph()
  var stack: [PickleValue] = []
  /// The heights of the stack at its marks.
  private var marks: [Int] = []
  private var memo: [UInt64: PickleValue] = [:]
  private var entryCount = 0
  private var madeBytes = 0

  private init(_ bytes: [UInt8], file: String, isTorchScript: Bool) {
    cursor = PickleCursor(bytes, file: file)
    self.isTorchScript = isTorchScript
  }

  /// Reads a whole pickle.
  ///
  /// - Parameters:
  ///   - bytes: The pickle.
  ///   - file: For messages.
  ///   - isTorchScript: Whether objects of the archive's own classes are expected.
  /// - Returns: The values, and which of them is the outermost.
  /// - Throws: ``WeightFileError`` with the byte, and the name of a class that is not on the list.
  static func read(
    _ bytes: [UInt8], file: String, isTorchScript: Bool
  ) throws(WeightFileError) -> PickleGraph {
    var reader = Unpickler(bytes, file: file, isTorchScript: isTorchScript)
    guard bytes.count <= mostBytes else {
      throw reader.cursor.fail("\(bytes.count) bytes; \(mostBytes) are read")
    }
    while true {
      let opcode = try reader.cursor.opcode()
      if opcode == UInt8(ascii: ".") { break }
      let isKnown = try reader.readPlain(opcode)
      if !isKnown { try reader.readStructure(opcode) }
      let size = max(
        reader.stack.count, reader.marks.count, reader.memo.count, reader.graph.nodes.count)
      guard size <= mostValues else {
        throw reader.cursor.fail("more than \(mostValues) values")
      }
    }
    reader.graph.root = try reader.pop()
    return reader.graph
  }

  private mutating func readStructure(_ opcode: UInt8) throws(WeightFileError) {
    switch opcode {
    case 0x80:
      let version = try cursor.number(1)
      guard version <= 5 else { throw cursor.fail("protocol \(version); 0 to 5 are read") }
    case 0x95: _ = try cursor.number(8)
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"):
      if let mark = marks.last, mark == stack.count { marks.removeLast() } else { _ = try pop() }
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): push(try top())
    case UInt8(ascii: "]"): push(try made(.list([])))
    case UInt8(ascii: "}"): push(try made(.dictionary([])))
    case UInt8(ascii: ")"): push(try made(.tuple([])))
    case 0x8F: push(try made(.set([])))
    case UInt8(ascii: "l"): push(try made(.list(popToMark())))
    case UInt8(ascii: "t"): push(try made(.tuple(popToMark())))
    case 0x91: push(try made(.set(popToMark())))
    case UInt8(ascii: "d"): push(try made(.dictionary(items(popToMark()))))
    case 0x85...0x87:
      var parts: [PickleValue] = []
      for _ in 0..<(Int(opcode) - 0x84) { parts.append(try pop()) }
      push(try made(.tuple(parts.reversed())))
    case UInt8(ascii: "a"):
      let value = try pop()
      try extend([value])
    case UInt8(ascii: "e"), 0x90: try extend(popToMark())
    case UInt8(ascii: "s"):
      let value = try pop()
      let key = try pop()
      try set([.init(key: key, value: value)])
    case UInt8(ascii: "u"): try set(items(popToMark()))
    case UInt8(ascii: "g"):
      guard let index = UInt64(try cursor.line()) else { throw cursor.fail("no place") }
      try recall(index)
    case UInt8(ascii: "h"): try recall(cursor.number(1))
    case UInt8(ascii: "j"): try recall(cursor.number(4))
    case UInt8(ascii: "p"):
      guard let index = UInt64(try cursor.line()) else { throw cursor.fail("no place") }
      memo[index] = try top()
    case UInt8(ascii: "q"): memo[try cursor.number(1)] = try top()
    case UInt8(ascii: "r"): memo[try cursor.number(4)] = try top()
    case 0x94: memo[UInt64(memo.count)] = try top()
    case UInt8(ascii: "Q"): push(try storage(named: pop()))
    case UInt8(ascii: "R"):
      let arguments = try pop()
      push(try call(pop(), arguments))
    case 0x81:
      let arguments = try pop()
      push(try instance(of: pop(), arguments))
    case 0x92:
      _ = try pop()
      let arguments = try pop()
      push(try instance(of: pop(), arguments))
    case UInt8(ascii: "b"):
      let state = try pop()
      try build(top(), state)
    default:
      let known = ["P": "PERSID", "i": "INST", "o": "OBJ"][String(UnicodeScalar(opcode))]
      throw cursor.fail(
        known.map { "the opcode \($0), which torch does not write" } ?? "no opcode: \(opcode)")
    }
  }

  mutating func push(_ value: PickleValue) { stack.append(value) }

  /// The place of a new container.
  mutating func made(_ node: PickleNode) throws(WeightFileError) -> PickleValue {
    // Those of a copy count again: it is one as soon as something is added to it.
    try charge(entries: node.count)
    graph.nodes.append(node)
    return .node(graph.nodes.count - 1)
  }

  /// Counts what goes into containers, which a few bytes can fill again and again out of the memo.
  mutating func charge(entries: Int) throws(WeightFileError) {
    entryCount += entries
    guard entryCount <= Self.mostEntries else {
      throw cursor.fail("more than \(Self.mostEntries) values in its containers")
    }
  }

  /// Counts bytes that are made out of the memo's rather than read.
  mutating func charge(bytes: Int) throws(WeightFileError) {
    madeBytes += bytes
    guard madeBytes <= Self.mostBytes else {
      throw cursor.fail("more than \(Self.mostBytes) bytes that it makes out of others")
    }
  }

  func top() throws(WeightFileError) -> PickleValue {
    guard let value = stack.last, stack.count > marks.last ?? 0 else {
      throw cursor.fail("the stack is empty")
    }
    return value
  }

  mutating func pop() throws(WeightFileError) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func popToMark() throws(WeightFileError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw cursor.fail("a mark is missing") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func recall(_ index: UInt64) throws(WeightFileError) {
    guard let value = memo[index] else { throw cursor.fail("nothing was kept at \(index)") }
    push(value)
  }
}
