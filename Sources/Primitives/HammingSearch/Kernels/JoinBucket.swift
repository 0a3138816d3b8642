/// Words of a join that share some blocks.
struct JoinBucket {
  var range: Range<Int>
  /// On which side of ``JoinElements`` they are.
  var isBack: Bool
  /// Bits that no block has taken yet.
  var free: UInt64
  /// How many of the free bits may differ in a pair that still counts.
  var errors: Int

  /// Fewer words are compared without a thought.
  static let leastToCut = 32

  /// How to go on: the bits to deal out to `errors` + 1 blocks of `width`, where a pair may differ in
  /// `errors` of them; width 0 to compare all pairs.
  func cut(
    _ start: UnsafePointer<JoinElement>, radius: Int
  ) -> (width: Int, free: UInt64, errors: Int) {
    guard range.count >= Self.leastToCut else { return (0, free, errors) }
    let varying = unsafe BitBlocks.varying(start, count: range.count)
    // What all words agree in tells none apart.
    let rest = free & varying
    let onward = BitBlocks.plan(
      count: range.count, bits: rest.nonzeroBitCount, errors: errors)
    // The blocks that must differ may be cut again, as if the join began here. Where little but
    // them is left, that is the better way.
    let anew = BitBlocks.plan(
      count: range.count, bits: varying.nonzeroBitCount, errors: radius)
    return anew.cost < onward.cost
      ? (anew.bits, varying, radius) : (onward.bits, rest, errors)
  }

  /// Moves the words back to the side where they were.
  func restore(_ elements: JoinElements) {
    unsafe (elements.side(isBack: isBack) + range.lowerBound).update(
      from: elements.side(isBack: !isBack) + range.lowerBound, count: range.count)
  }
}
