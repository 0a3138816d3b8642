/// What the tensors of this process occupy.
public struct StorageUsage: Sendable, Equatable {
  /// Bytes of living tensors.
  public var bytesInUse = 0
  /// The most that ``bytesInUse`` has been since the start or ``restartPeak()``.
  public var mostBytesInUse = 0
  /// Bytes of living tensors and of memory kept for the next ones.
  public var bytesHeld = 0
  /// How often the operating system was asked; stands still in a steady training step.
  public var systemAllocations = 0

  public static var current: StorageUsage { StoragePool.shared.usage }

  /// Gives the kept memory back to the operating system.
  public static func trim() { StoragePool.shared.trim() }

  /// Begins to look for the most bytes in use anew.
  public static func restartPeak() { StoragePool.shared.restartPeak() }
}
