/// Up to sixteen signatures that are compared with another sixteen at once.
public struct SignatureBlock: Sendable {
  /// The most that a block holds.
  public static let most = PictureCoordinateBlock.most

  private let members: [UnpackedSignature]
  /// By which most pairs are ruled out before they are compared; nil where that is not worth it.
  private let bounds: (points: PictureCoordinateBlock, spaces: [CopySpace])?

  /// - Parameters:
  ///   - signatures: 0 to ``most``.
  ///   - isComparedOften: Whether to spend 50 µs more on each, so that most pairs which are not one picture
  ///     cost 0.1 µs instead of 0.9: worth it from some 100 comparisons of each on.
  public init(_ signatures: [PictureSignature], isComparedOften: Bool) {
    members = signatures.map(UnpackedSignature.init)
    bounds =
      isComparedOften
      ? (
        PictureCoordinateBlock(members.map(\.thumbnail)),
        members.map { CopySpace($0.thumbnail, $0.slopes) }
      ) : nil
  }

  public var count: Int { members.count }

  /// Calls `body` for each pair that is one picture (``PictureSignature/differenceIfSame(as:radius:)``).
  ///
  /// - Parameters:
  ///   - other: The others.
  ///   - radius: Of the keys.
  ///   - isWanted: Of the places in both blocks.
  ///   - body: Given the places and what the keys and the thumbnails differ by.
  /// - Returns: How many pairs were compared in full.
  @discardableResult
  public func forEachSame(
    as other: SignatureBlock, radius: Int, where isWanted: (Int, Int) -> Bool = { _, _ in true },
    _ body: (_ place: Int, _ otherPlace: Int, _ distance: Int, _ difference: Int) -> Void
  ) -> Int {
    // A bit for every member of the other block.
    var open = InlineArray<16, UInt16>(repeating: 0)
    var pairs = 0
    for (place, member) in members.enumerated() {
      var mask: UInt16 = 0
      for (otherPlace, candidate) in other.members.enumerated()
      where member.mayBeSame(as: candidate, radius: radius) && isWanted(place, otherPlace) {
        mask |= 1 << UInt16(otherPlace)
      }
      open[place] = mask
      pairs += mask.nonzeroBitCount
    }
    // For one or two pairs the bound costs more than it spares.
    if pairs > 4 { ruleOut(&open, other) }
    var compared = 0
    for (place, member) in members.enumerated() {
      var mask = open[place]
      while mask != 0 {
        let otherPlace = mask.trailingZeroBitCount
        mask &= mask - 1
        compared += 1
        let candidate = other.members[otherPlace]
        if let difference = member.differenceIfSame(as: candidate) {
          body(place, otherPlace, (member.key ^ candidate.key).nonzeroBitCount, difference)
        }
      }
    }
    return compared
  }

  /// Closes the pairs of which neither can be a copy of the other.
  private func ruleOut(_ open: inout InlineArray<16, UInt16>, _ other: SignatureBlock) {
    guard let bounds, let others = other.bounds else { return }
    var here = InlineArray<16, UInt16>(repeating: 0)
    var columns: UInt16 = 0
    for place in members.indices where open[place] != 0 {
      here[place] = bounds.spaces[place].rulesOut(others.points) & open[place]
      columns |= here[place]
    }
    for otherPlace in other.members.indices where columns >> UInt16(otherPlace) & 1 == 1 {
      let there = others.spaces[otherPlace].rulesOut(bounds.points)
      for place in members.indices where there >> UInt16(place) & 1 == 1 {
        open[place] &= ~(here[place] & 1 << UInt16(otherPlace))
      }
    }
  }
}
