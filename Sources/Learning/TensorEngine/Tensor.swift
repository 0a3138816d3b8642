/// Numbers in a row-major box: contiguous Float with a shape.
///
/// A value: copies share their floats until one of them is written. `[]` is the shape of a scalar.
public struct Tensor: Sendable {
  public let shape: [Int]
  public let count: Int
  private var storage: FloatStorage

  public init(shape: [Int], repeating value: Float = 0) {
    self.init(uninitialized: shape)
    storage.floats.fill(0..<count, with: value)
  }

  public init(shape: [Int], _ values: [Float]) {
    self.init(uninitialized: shape)
    precondition(
      values.count == count, "Tensor: shape \(shape) holds \(count) values, not \(values.count)")
    withMutableSpan { span in
      for index in values.indices { span[index] = values[index] }
    }
  }

  /// A scalar, shape `[]`.
  public init(_ value: Float) { self.init(shape: [], repeating: value) }

  /// Floats that are not set: for code that writes all of them.
  package init(uninitialized shape: [Int]) {
    self.shape = shape
    count = shape.reduce(1, *)
    precondition(shape.allSatisfy { $0 >= 0 }, "Tensor: shape \(shape) has a negative side")
    storage = FloatStorage(uninitialized: count)
  }

  init(shape: [Int], storage: FloatStorage) {
    self.shape = shape
    count = storage.count
    self.storage = storage
  }

  /// A copy of the floats, row-major.
  public var values: [Float] {
    withSpan { span in
      unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
        for index in 0..<count { unsafe buffer.initializeElement(at: index, to: span[index]) }
        initialized = count
      }
    }
  }

  /// The only value of a tensor of one element.
  public var scalar: Float {
    precondition(count == 1, "Tensor.scalar: shape \(shape) holds \(count) values")
    return floats[0]
  }

  public func withSpan<R>(_ body: (Span<Float>) throws -> R) rethrows -> R {
    let buffer = unsafe UnsafeBufferPointer(start: storage.base, count: count)
    let span = unsafe buffer.span
    return try body(span)
  }

  /// Writes in place; a tensor that shares its floats takes a copy first.
  public mutating func withMutableSpan<R>(_ body: (inout MutableSpan<Float>) throws -> R) rethrows
    -> R
  {
    detach()
    let buffer = unsafe UnsafeMutableBufferPointer(start: storage.base, count: count)
    // A `MutableSpan` made from the address itself crashes the compiler (Swift 6.3.1).
    var span = unsafe buffer.mutableSpan
    return try body(&span)
  }

  /// The same floats under another shape; `-1` for at most one side takes what is left.
  public func reshaped(_ shape: [Int]) -> Tensor {
    var shape = shape
    if let free = shape.firstIndex(of: -1) {
      let rest = shape.enumerated().reduce(1) { $1.offset == free ? $0 : $0 * $1.element }
      shape[free] = rest == 0 ? 0 : count / rest
    }
    precondition(
      shape.reduce(1, *) == count, "reshaped: \(self.shape) has \(count) values, not \(shape)")
    return Tensor(shape: shape, storage: storage)
  }

  /// The floats for reading.
  var floats: Floats { storage.floats }

  /// The floats for writing; a tensor that shares them takes a copy first.
  var mutableFloats: Floats {
    mutating get {
      detach()
      return storage.floats
    }
  }

  /// Whether its floats are those of `other`.
  func isStored(in other: FloatStorage?) -> Bool { storage === other }

  /// Whether writing changes no other tensor's floats, and so takes no copy.
  mutating func isUnique() -> Bool { isKnownUniquelyReferenced(&storage) }

  private mutating func detach() {
    guard !isKnownUniquelyReferenced(&storage) else { return }
    let copy = FloatStorage(uninitialized: count)
    copy.floats.copy(from: storage.floats, at: 0, to: 0, length: count)
    storage = copy
  }

  /// The length of the last axis; 1 for a scalar.
  package var columns: Int { shape.last ?? 1 }
  /// How many vectors of the last axis there are.
  package var rows: Int { columns == 0 ? 0 : count / columns }
}

extension Tensor: CustomStringConvertible {
  public var description: String {
    let head = (0..<min(count, 8)).map { "\(floats[$0])" }.joined(separator: ", ")
    return "Tensor\(shape)[\(head)\(count > 8 ? ", …" : "")]"
  }
}
