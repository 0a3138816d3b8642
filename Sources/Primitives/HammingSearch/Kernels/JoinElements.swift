import Glibc

/// A word on its way through the join.
struct JoinElement {
  var word: UInt64
  /// Where it stands, or the first of those equal to it.
  var first: UInt32
  /// The ``EqualWords`` group for which it speaks, or ``alone``.
  var group: UInt32

  static let alone = UInt32.max
}

/// The elements of a join, twice.
///
/// Whoever partitions a range moves it to the same range of the other side, so a join needs room for
/// two copies, however deep it goes.
@safe final class JoinElements: @unchecked Sendable {
  // Sendable: threads work on disjoint ranges of both sides.
  let count: Int
  private let front: UnsafeMutablePointer<JoinElement>
  private let back: UnsafeMutablePointer<JoinElement>

  init(count: Int) {
    self.count = count
    unsafe front = Self.allocate(count)
    unsafe back = Self.allocate(count)
  }

  deinit {
    unsafe front.deallocate()
    unsafe back.deallocate()
  }

  func side(isBack: Bool) -> UnsafeMutablePointer<JoinElement> {
    unsafe isBack ? back : front
  }

  /// Writes the words at their places from `lower` on to the front side.
  func fill(from lower: Int, with words: [UInt64]) {
    precondition(lower + words.count <= count)
    for (index, word) in words.enumerated() {
      unsafe front[lower + index] = JoinElement(
        word: UInt64(littleEndian: word), first: UInt32(lower + index), group: JoinElement.alone)
    }
  }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<JoinElement> {
    let hugePage = 2 << 20
    let byteCount = max(1, count) * MemoryLayout<JoinElement>.stride
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: byteCount < hugePage ? 64 : hugePage)
    // Scattering touches many pages in turn. A hint: without large pages it is only slower.
    if byteCount >= hugePage { _ = unsafe madvise(memory, byteCount, MADV_HUGEPAGE) }
    return unsafe memory.bindMemory(to: JoinElement.self, capacity: count)
  }
}
