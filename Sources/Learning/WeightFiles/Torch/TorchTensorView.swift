/// The arithmetic of views.
extension TorchTensor {
  /// What the sides of a tensor may multiply to, an empty side counted as 1: far beyond any file.
  ///
  /// Whoever computes with sides may multiply them by a few thousand without overflow, and in any order.
  static let mostNumbers = 1 << 48

  /// Whether sides of a foreign file are sides at all, and can be multiplied.
  static func isPossible(_ shape: [Int]) -> Bool {
    var count = 1
    for side in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: max(side, 1))
      guard side >= 0, !overflow, product <= mostNumbers else { return false }
      count = product
    }
    return true
  }

  /// The numbers of the tensor; ``isWithin(_:)`` has shown that they can be counted.
  var count: Int { shape.reduce(1, *) }

  /// Whether numbers stand one after the other.
  var isContiguous: Bool {
    var expected = 1
    for (side, stride) in zip(shape, strides).reversed() {
      if side != 1 && stride != expected { return false }
      expected *= side
    }
    return true
  }

  /// Numbers from the first that is looked at to the last.
  var span: Int {
    if shape.contains(0) { return 0 }
    return zip(shape, strides).reduce(1) { $0 + ($1.0 - 1) * $1.1 }
  }

  /// Whether every number lies within a storage of `room`, without more numbers than it can need.
  ///
  /// A stride of 0 repeats numbers: a small storage may not ask for a large tensor.
  func isWithin(_ room: Int) -> Bool {
    var last = offset
    guard offset >= 0, Self.isPossible(shape) else { return false }
    for (side, stride) in zip(shape, strides) {
      guard stride >= 0 else { return false }
      let (step, stepOverflow) = stride.multipliedReportingOverflow(by: max(side, 1) - 1)
      let (next, nextOverflow) = last.addingReportingOverflow(step)
      guard !stepOverflow, !nextOverflow else { return false }
      last = next
    }
    if shape.contains(0) { return true }
    return last < room && count <= max(room, 1 << 20)
  }

  /// The numbers of the view one after the other, from the bytes that it spans.
  func gathered(from bytes: [UInt8]) -> [UInt8] {
    let size = format.byteCount
    var result: [UInt8] = []
    result.reserveCapacity(count * size)
    var index = Array(repeating: 0, count: shape.count)
    var place = 0
    for _ in 0..<count {
      for byte in 0..<size { result.append(bytes[place * size + byte]) }
      // The last side moves first, as in an odometer.
      for axis in shape.indices.reversed() {
        index[axis] += 1
        place += strides[axis]
        if index[axis] < shape[axis] { break }
        place -= shape[axis] * strides[axis]
        index[axis] = 0
      }
    }
    return result
  }
}
