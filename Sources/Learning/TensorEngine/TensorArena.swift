/// Room for many tensors, one behind the other in one block of memory.
///
/// A tensor that lives here is a value as any other: who copies it and writes gets a block of their own, so a copy
/// never changes. Work over the whole block (``Update``) writes in place only where the owner's tensor is the only
/// one. Each place begins at a multiple of 64 bytes; the floats between are 0. Not thread-safe.
public final class TensorArena {
  /// What a place holds, alive or not.
  private struct Tenant {
    weak var storage: FloatStorage?
  }

  public let shapes: [[Int]]
  /// The floats of each place.
  public let ranges: [Range<Int>]
  /// All floats, those between the places too.
  public let count: Int
  private let storage: FloatStorage
  private var tenants: [Tenant]

  /// Takes the memory, which is not set.
  public init(shapes: [[Int]]) {
    self.shapes = shapes
    var end = 0
    ranges = shapes.map { shape in
      let start = end
      end = (start + shape.reduce(1, *) + 15) / 16 * 16
      return start..<start + shape.reduce(1, *)
    }
    count = end
    storage = FloatStorage(uninitialized: count)
    tenants = shapes.map { _ in Tenant() }
    for (index, range) in ranges.enumerated() {
      let next = index + 1 < ranges.count ? ranges[index + 1].lowerBound : count
      storage.floats.fill(range.upperBound..<next, with: 0)
    }
  }

  /// A tensor at this place, whose floats are what they happen to be; nil while another one lives there.
  public func claim(_ index: Int) -> Tensor? {
    guard tenants[index].storage == nil else { return nil }
    let part = FloatStorage(part: ranges[index], of: storage)
    tenants[index].storage = part
    return Tensor(shape: shapes[index], storage: part)
  }

  /// Moves `tensor` to its place, unless it is there or a copy of its predecessor still is.
  ///
  /// - Returns: Whether it is there now, and nobody else reads it: then it may be written in place.
  public func settle(_ tensor: inout Tensor, at index: Int) -> Bool {
    precondition(
      tensor.shape == shapes[index], "arena: \(tensor.shape) for a place of \(shapes[index])")
    if !tensor.isStored(in: tenants[index].storage) {
      guard var own = claim(index) else { return false }
      own.copyValues(of: tensor)
      tensor = own
    }
    return tensor.isUnique()
  }

  /// The floats of `range`, for reading and writing: of places that are settled.
  public func withMutableSpan<R, E: Error>(
    _ range: Range<Int>, _ body: (inout MutableSpan<Float>) throws(E) -> R
  ) throws(E) -> R {
    let start = unsafe storage.floats.address(range.lowerBound, extent: range.count)
    let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: range.count)
    var span = unsafe buffer.mutableSpan
    return try body(&span)
  }

  /// The sum of the squares of each of these places, as `Tensor.squaredNorm` has it, in one pass.
  public func squaredNorms(_ indices: [Int]) -> [Double] {
    let x = storage.floats
    let pieces = indices.flatMap { Tensor.reductionPieces(ranges[$0]) }
    var partial = Tensor(uninitialized: [pieces.count])
    let sums = partial.mutableFloats
    TensorThreads.split(pieces.count, grain: 4) { range in
      for number in range {
        let piece = pieces[number]
        sums[number] = Tensor.dot(x, piece.lowerBound, x, piece.lowerBound, piece.count)
      }
    }
    var next = 0
    return indices.map { index in
      let end = next + Tensor.reductionPieces(ranges[index]).count
      defer { next = end }
      return (next..<end).reduce(0.0) { $0 + Double(sums[$1]) }
    }
  }

  var floats: Floats { storage.floats }
}
