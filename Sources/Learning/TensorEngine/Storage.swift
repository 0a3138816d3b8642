/// The floats of a tensor: a 64-byte-aligned block from the pool, given back when the last reference goes, or a part
/// of another storage, which it keeps alive.
@safe final class FloatStorage: @unchecked Sendable {
  // Sendable: `Tensor` writes only through a reference that it knows to be the only one.
  let base: UnsafeMutablePointer<Float>
  /// The floats asked for; the block itself may be longer.
  let count: Int
  private let block: StoragePool.Block?
  private let whole: FloatStorage?

  /// A block whose floats are not set; whoever asks for it writes every one of them.
  init(uninitialized count: Int) {
    let block = StoragePool.shared.take(floats: count)
    unsafe base = block.base
    self.count = count
    self.block = block
    whole = nil
  }

  /// The floats of `whole` inside `range`; nobody may write them through another part at the same time.
  init(part range: Range<Int>, of whole: FloatStorage) {
    unsafe base = whole.floats.address(range.lowerBound, extent: range.count)
    count = range.count
    block = nil
    self.whole = whole
  }

  deinit { if let block { StoragePool.shared.giveBack(block) } }

  /// The floats, for kernels.
  var floats: Floats { Floats(owner: self) }
}

/// A bounds-checked window on a tensor's floats, which it keeps alive.
///
/// It is what kernels read and write eight floats at a time. The check costs one compare per access,
/// which measures as nothing beside the loads (0.35 ns an element for exp with and without it).
@safe struct Floats: @unchecked Sendable {
  // Sendable: kernels that run on several threads write disjoint ranges.
  private let owner: FloatStorage
  private let base: UnsafeMutablePointer<Float>
  let count: Int

  fileprivate init(owner: FloatStorage) {
    self.owner = owner
    unsafe self.base = owner.base
    count = owner.count
  }

  @inline(__always) subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count)
      return unsafe base[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count)
      unsafe base[index] = newValue
    }
  }

  /// The eight floats from `index` on.
  @inline(__always) subscript(lanes index: Int) -> SIMD8<Float> {
    get {
      precondition(index >= 0 && index &+ 8 <= count)
      return unsafe UnsafeRawPointer(base + index).loadUnaligned(as: SIMD8<Float>.self)
    }
    nonmutating set {
      precondition(index >= 0 && index &+ 8 <= count)
      unsafe UnsafeMutableRawPointer(base + index).storeBytes(of: newValue, as: SIMD8<Float>.self)
    }
  }

  /// The first `width` (below 8) floats from `index` on; the other lanes hold `filler`.
  @inline(__always) func partial(_ index: Int, width: Int, filler: Float = 0) -> SIMD8<Float> {
    var lanes = SIMD8<Float>(repeating: filler)
    for lane in 0..<width { lanes[lane] = self[index + lane] }
    return lanes
  }

  /// Writes the first `width` lanes from `index` on.
  @inline(__always) func setPartial(_ index: Int, width: Int, _ lanes: SIMD8<Float>) {
    for lane in 0..<width { self[index + lane] = lanes[lane] }
  }

  /// Sets `range` to one value.
  func fill(_ range: Range<Int>, with value: Float) {
    check(range)
    unsafe (base + range.lowerBound).update(repeating: value, count: range.count)
  }

  /// Copies `length` floats of `source` from `sourceIndex` to `index`; the ranges must not overlap.
  @inline(__always) func copy(
    from source: Floats, at sourceIndex: Int, to index: Int, length: Int
  ) {
    source.check(sourceIndex..<sourceIndex + length)
    check(index..<index + length)
    unsafe (base + index).update(from: source.base + sourceIndex, count: length)
  }

  /// The address of the float at `index`, for a C call that touches `extent` floats from there.
  func address(_ index: Int, extent: Int) -> UnsafeMutablePointer<Float> {
    check(index..<index + extent)
    return unsafe base + index
  }

  @inline(__always) private func check(_ range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count,
      "range \(range) is outside a tensor of \(count) floats")
  }
}
