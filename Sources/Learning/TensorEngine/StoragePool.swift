import Glibc
import Synchronization

/// The memory of all tensors, kept from one training step for the next.
///
/// Large blocks are cut from regions and joined again when they are free, so that packed sequences of another
/// length find room in what the step before used. Small ones are kept by size, in eight steps per octave (at most
/// 12.5 % waste). Nothing goes back to the operating system before `trim()`.
@safe final class StoragePool: Sendable {
  static let shared = StoragePool()

  @safe struct Block: @unchecked Sendable {
    // Sendable: a block has one owner at a time, a `FloatStorage` or the pool.
    let base: UnsafeMutablePointer<Float>
    let capacity: Int
  }

  private struct State {
    var small: [Int: [Block]] = [:]
    var regions: [StorageRegion] = []
    var usage = StorageUsage()
  }

  private let state = Mutex(State())

  /// Blocks of more floats than this, 64 KiB, are cut from regions.
  private static let largestSmall = 16_384
  /// The floats of a region, unless one block needs more: 4 GiB of addresses.
  private static let regionFloats = 1 << 30
  /// Large blocks are whole pages of 4 KiB.
  private static let pageFloats = 1024

  /// The capacity of the block that serves `count` floats: a multiple of 16, which is 64 bytes.
  private static func capacity(for count: Int) -> Int {
    if count > largestSmall { return (count + pageFloats - 1) / pageFloats * pageFloats }
    let lines = max(1, (count + 15) / 16)
    guard lines > 8 else { return lines * 16 }
    let step = 1 << (Int.bitWidth - 1 - lines.leadingZeroBitCount - 3)
    return (lines + step - 1) / step * step * 16
  }

  func take(floats count: Int) -> Block {
    let capacity = Self.capacity(for: count)
    let found = state.withLock { state -> Block? in
      // Where `trim()` has made holes, they fill up again.
      defer { state.usage.bytesHeld = max(state.usage.bytesHeld, state.usage.bytesInUse) }
      state.usage.bytesInUse += capacity * 4
      state.usage.mostBytesInUse = max(state.usage.mostBytesInUse, state.usage.bytesInUse)
      if capacity > Self.largestSmall { return Self.cut(capacity, &state) }
      if let block = state.small[capacity]?.popLast() { return block }
      state.usage.systemAllocations += 1
      state.usage.bytesHeld += capacity * 4
      guard let address = unsafe aligned_alloc(64, capacity * 4) else { return nil }
      return unsafe Block(
        base: address.bindMemory(to: Float.self, capacity: capacity), capacity: capacity)
    }
    guard let found else {
      fatalError("out of memory: a tensor of \(count) floats needs \(capacity * 4) bytes")
    }
    return found
  }

  private static func cut(_ capacity: Int, _ state: inout State) -> Block? {
    func block(_ index: Int) -> Block? {
      guard let (start, new) = state.regions[index].take(capacity) else { return nil }
      if new > 0 {
        state.usage.systemAllocations += 1
        state.usage.bytesHeld += new * 4
      }
      return unsafe Block(base: state.regions[index].base + start, capacity: capacity)
    }
    for index in state.regions.indices {
      if let block = block(index) { return block }
    }
    // Where addresses are rationed, as by `ulimit -v`, a region may be as small as the block.
    let size = max(capacity, regionFloats)
    guard let region = StorageRegion(floats: size) ?? StorageRegion(floats: capacity) else {
      return nil
    }
    state.regions.append(region)
    return block(state.regions.count - 1)
  }

  func giveBack(_ block: Block) {
    state.withLock { state in
      state.usage.bytesInUse -= block.capacity * 4
      guard block.capacity > Self.largestSmall else {
        state.small[block.capacity, default: []].append(block)
        return
      }
      guard let index = state.regions.firstIndex(where: { unsafe $0.contains(block.base) }) else {
        preconditionFailure("a block from no region")
      }
      unsafe state.regions[index].giveBack(block.base, block.capacity)
    }
  }

  func trim() {
    state.withLock { state in
      for block in state.small.values.joined() { unsafe free(block.base) }
      state.small.removeAll()
      for region in state.regions where region.isUnused { region.unmap() }
      state.regions.removeAll(where: \.isUnused)
      for index in state.regions.indices { state.regions[index].discard() }
      state.usage.bytesHeld = state.usage.bytesInUse
    }
  }

  /// Counts the most bytes in use from now on.
  func restartPeak() {
    state.withLock { $0.usage.mostBytesInUse = $0.usage.bytesInUse }
  }

  var usage: StorageUsage { state.withLock { $0.usage } }
}
