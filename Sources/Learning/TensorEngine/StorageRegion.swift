import Glibc

/// A mapping from which large blocks are cut; memory behind its mark was never touched.
@safe struct StorageRegion: @unchecked Sendable {
  // Sendable: the pool's lock guards it.
  let base: UnsafeMutablePointer<Float>
  let capacity: Int
  /// The floats that have been in use at one time.
  private(set) var mark = 0
  private var free = FreeRanges()
  private let mapping: UnsafeMutableRawPointer
  private let mappedBytes: Int

  /// Takes addresses, not memory; nil when the system has none.
  init?(floats: Int) {
    mappedBytes = floats * 4
    // Pages of the usual size: on a machine whose memory is in pieces, large ones cost the kernel three times the
    // work to find, and made no step faster.
    let map = unsafe mmap(
      nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let map = unsafe map, unsafe map != MAP_FAILED else { return nil }
    unsafe mapping = map
    unsafe base = map.bindMemory(to: Float.self, capacity: floats)
    capacity = floats
  }

  /// - Returns: Where the block starts, and how many floats of it the system is asked for.
  mutating func take(_ count: Int) -> (start: Int, new: Int)? {
    if let start = free.take(count) { return (start, 0) }
    let tail = free.takeLast(endingAt: mark)
    let start = tail?.lowerBound ?? mark
    guard start + count <= capacity else {
      if let tail { free.giveBack(tail) }
      return nil
    }
    defer { mark = start + count }
    return (start, start + count - mark)
  }

  /// Whether a block that was cut from here starts at `address`.
  func contains(_ address: UnsafeMutablePointer<Float>) -> Bool {
    unsafe address >= base && address < base + capacity
  }

  mutating func giveBack(_ address: UnsafeMutablePointer<Float>, _ count: Int) {
    let start = unsafe address - base
    free.giveBack(start..<start + count)
  }

  /// Whether nothing of it is in use.
  var isUnused: Bool { mark == 0 || free.all == [0..<mark] }

  /// Gives the memory of the free parts back, which read as zeros if they are used again.
  mutating func discard() {
    if let tail = free.takeLast(endingAt: mark) {
      forget(tail)
      mark = tail.lowerBound
    }
    for part in free.all { forget(part) }
  }

  private func forget(_ range: Range<Int>) {
    // Whole pages alone, which are 4 KiB at least.
    let page = 1024
    let first = (range.lowerBound + page - 1) / page * page
    let end = range.upperBound / page * page
    guard first < end else { return }
    _ = unsafe madvise(base + first, (end - first) * 4, MADV_DONTNEED)
  }

  /// Ends the mapping; the region must not be used any more.
  func unmap() { _ = unsafe munmap(mapping, mappedBytes) }
}
