/// Brings equal words together, so that each word is joined once however often it occurs.
struct EqualWords: Sendable {
  /// The places of the words that occur more than once, group by group, in each the lowest first.
  private(set) var members: [UInt32] = []
  /// Where the groups begin in ``members``, and where the last one ends.
  private(set) var starts: [UInt32] = [0]
  /// How many distinct words there are: the first elements of the front side.
  private(set) var distinct = 0

  /// The number of groups with more than one member.
  var count: Int { starts.count - 1 }

  func members(of group: Int) -> Range<Int> { Int(starts[group])..<Int(starts[group + 1]) }

  /// How many words an element stands for.
  func multiplicity(of element: JoinElement) -> Int {
    element.group == JoinElement.alone ? 1 : members(of: Int(element.group)).count
  }

  /// - Parameter elements: Their front side, with equal words beside each other, the lowest place
  ///   first; its begin holds the distinct words afterwards.
  init(compacting elements: JoinElements) {
    let front = unsafe elements.side(isBack: false)
    var index = 0
    while index < elements.count {
      var element = unsafe front[index]
      var end = index + 1
      while end < elements.count, unsafe front[end].word == element.word { end += 1 }
      if end - index > 1 {
        element.group = UInt32(count)
        for member in index..<end { unsafe members.append(front[member].first) }
        starts.append(UInt32(members.count))
      }
      unsafe front[distinct] = element
      distinct += 1
      index = end
    }
  }
}

/// Groups elements by word, by stable partitions until a bucket holds one word.
struct WordGrouping: Sendable {
  private let elements: JoinElements
  private let ends: JoinCounters

  /// Below this a bucket is sorted by insertion.
  private static let leastToPartition = 24
  private static let deepest = 65

  init(_ elements: JoinElements) {
    self.elements = elements
    ends = JoinCounters(count: Self.deepest << Partitioning.mostBits)
  }

  /// Leaves the range's elements on the front side.
  func group(_ range: Range<Int>, isBack: Bool, depth: Int = 0) {
    let source = unsafe elements.side(isBack: isBack) + range.lowerBound
    if range.count < Self.leastToPartition {
      unsafe sort(source, count: range.count)
      return bringToFront(range, isBack: isBack)
    }
    let varying = unsafe BitBlocks.varying(source, count: range.count)
    guard varying != 0 else { return bringToFront(range, isBack: isBack) }
    var block = varying
    unsafe BitBlocks.deal(
      varying, of: source, count: range.count, number: 1,
      width: Self.width(count: range.count, varying: varying), blocks: &block)
    let target = unsafe elements.side(isBack: !isBack) + range.lowerBound
    let ends = unsafe self.ends.base + depth << Partitioning.mostBits
    unsafe Partitioning.move(source, to: target, count: range.count, block: block, ends: ends)
    var start = range.lowerBound
    for bucket in 0..<1 << block.nonzeroBitCount {
      let end = unsafe range.lowerBound + Int(ends[bucket])
      if end > start { group(start..<end, isBack: !isBack, depth: depth + 1) }
      start = end
    }
  }

  /// The bits that leave a few words in a bucket.
  static func width(count: Int, varying: UInt64) -> Int {
    let wanted = Int.bitWidth - count.leadingZeroBitCount - 3
    return min(varying.nonzeroBitCount, Partitioning.mostBits, max(1, wanted))
  }

  private func bringToFront(_ range: Range<Int>, isBack: Bool) {
    guard isBack else { return }
    unsafe (elements.side(isBack: false) + range.lowerBound).update(
      from: elements.side(isBack: true) + range.lowerBound, count: range.count)
  }

  private func sort(_ elements: UnsafeMutablePointer<JoinElement>, count: Int) {
    for index in stride(from: 1, to: count, by: 1) {
      let element = unsafe elements[index]
      var place = index
      while place > 0, unsafe elements[place - 1].word > element.word {
        unsafe elements[place] = elements[place - 1]
        place -= 1
      }
      unsafe elements[place] = element
    }
  }
}
