import Glibc
import Synchronization

/// Free blocks by size, so that a training step asks the operating system for nothing.
///
/// Sizes are rounded up to eight steps per octave (at most 12.5 % waste), so that the uneven lengths of
/// packed sequences find the blocks of the step before. Blocks are kept until `trim()`.
@safe final class StoragePool: Sendable {
  static let shared = StoragePool()

  @safe struct Block: @unchecked Sendable {
    // Sendable: a block has one owner at a time, a `FloatStorage` or the pool.
    let base: UnsafeMutablePointer<Float>
    let capacity: Int
  }

  private struct State {
    var free: [Int: [Block]] = [:]
    var usage = StorageUsage()
  }

  private let state = Mutex(State())

  /// The capacity of the block that serves `count` floats: a multiple of 16, which is 64 bytes.
  static func capacity(for count: Int) -> Int {
    let lines = max(1, (count + 15) / 16)
    guard lines > 8 else { return lines * 16 }
    let step = 1 << (Int.bitWidth - 1 - lines.leadingZeroBitCount - 3)
    return (lines + step - 1) / step * step * 16
  }

  func take(floats count: Int) -> Block {
    let capacity = Self.capacity(for: count)
    let reused = state.withLock { state -> Block? in
      state.usage.bytesInUse += capacity * 4
      guard let block = state.free[capacity]?.popLast() else {
        state.usage.systemAllocations += 1
        state.usage.bytesHeld += capacity * 4
        return nil
      }
      return block
    }
    if let reused { return reused }
    guard let address = unsafe aligned_alloc(64, capacity * 4) else {
      fatalError("out of memory: a tensor of \(count) floats needs \(capacity * 4) bytes")
    }
    return unsafe Block(
      base: address.bindMemory(to: Float.self, capacity: capacity), capacity: capacity)
  }

  func giveBack(_ block: Block) {
    state.withLock { state in
      state.usage.bytesInUse -= block.capacity * 4
      state.free[block.capacity, default: []].append(block)
    }
  }

  func trim() {
    let blocks = state.withLock { state in
      let blocks = state.free.values.flatMap { $0 }
      state.free.removeAll()
      state.usage.bytesHeld -= blocks.reduce(0) { $0 + $1.capacity * 4 }
      return blocks
    }
    for block in blocks { unsafe free(block.base) }
  }

  var usage: StorageUsage { state.withLock { $0.usage } }
}

/// What the tensors of this process occupy.
public struct StorageUsage: Sendable, Equatable {
  /// Bytes of living tensors.
  public var bytesInUse = 0
  /// Bytes of living tensors and of blocks kept for the next ones.
  public var bytesHeld = 0
  /// How often the operating system was asked; stands still in a steady training step.
  public var systemAllocations = 0

  public static var current: StorageUsage { StoragePool.shared.usage }

  /// Gives the kept blocks back to the operating system.
  public static func trim() { StoragePool.shared.trim() }
}
