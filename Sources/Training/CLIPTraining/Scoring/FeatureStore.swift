import DurableFiles
import Synchronization

/// Features that were computed before, by what they were made of: in memory, and on disk if asked.
///
/// What is kept are the floats themselves, so a feature out of the store has the bits of a fresh one.
/// On disk, a file for each model, precision and preprocessing, by the hash of their description;
/// one process writes to it, others read.
public final class FeatureStore: Sendable {
  /// Numbers of a feature.
  public let width: Int
  private let mostRows: Int
  /// What may wait for the disk: it is written before more of it would be lost with the process.
  static let mostWaiting = 1_024
  /// Whether what is new waits for the disk.
  private let isWritable: Bool
  private let disk: Mutex<FeatureFile?>
  private let memory: Mutex<Memory>

  private struct Memory {
    var rows: [FeatureKey: [Float]] = [:]
    /// What is not on disk yet.
    var fresh: [FeatureKey] = []
    /// Why the disk took no more; features are then kept in memory alone.
    var refusal: (any Error)?
  }

  /// A store in memory.
  ///
  /// - Parameters:
  ///   - width: Numbers of a feature.
  ///   - memoryBytes: The most that features take; the store is emptied when it is full.
  public init(width: Int, memoryBytes: Int = 64 << 20) {
    self.width = width
    // A row, its key and the table around them.
    mostRows = max(1, memoryBytes / (4 * width + 96))
    isWritable = false
    disk = Mutex(nil)
    memory = Mutex(Memory())
  }

  /// A store that keeps its features in `folder`.
  ///
  /// - Parameters:
  ///   - folder: Made when it is not there.
  ///   - description: All that features depend on beside their key.
  ///   - width: Numbers of a feature.
  ///   - memoryBytes: As above.
  ///   - diskBytes: The most that the file grows to; then it is only read.
  /// - Throws: `SegmentFileError` and `FileError`.
  public init(
    folder: String, description: [String: String], width: Int, memoryBytes: Int = 64 << 20,
    diskBytes: Int = 1 << 30
  ) throws {
    self.width = width
    mostRows = max(1, memoryBytes / (4 * width + 96))
    memory = Mutex(Memory())
    try DurableFile.makeFolder(folder)
    let disk = try FeatureFile(
      folder: folder, description: description, width: width, mostBytes: diskBytes)
    isWritable = disk.isWritable
    self.disk = Mutex(disk)
  }

  /// The features of `keys`, in their order; nil where there is none.
  package func find(_ keys: [FeatureKey]) -> [[Float]?] {
    let found = memory.withLock { memory in keys.map { memory.rows[$0] } }
    return disk.withLock { disk in
      zip(keys, found).map { key, row in row ?? disk?.row(key) }
    }
  }

  /// Keeps features; what is on disk or in memory already stays.
  ///
  /// Every ``mostWaiting`` new ones go to the disk; if it refuses, ``flush(atLeast:)`` says so.
  package func insert(_ rows: [(key: FeatureKey, row: [Float])]) {
    remember(rows)
    do { try write(atLeast: Self.mostWaiting) } catch {
      memory.withLock { memory in
        memory.refusal = memory.refusal ?? error
        memory.fresh = []
      }
    }
  }

  private func remember(_ rows: [(key: FeatureKey, row: [Float])]) {
    memory.withLock { memory in
      // Emptied as a whole: it is for what recurs within some thousands of pairs. What waits for the
      // disk stays.
      if memory.rows.count + rows.count > mostRows {
        let waiting = Set(memory.fresh)
        memory.rows = memory.rows.filter { waiting.contains($0.key) }
      }
      for (key, row) in rows where memory.rows.updateValue(row, forKey: key) == nil {
        if isWritable, memory.refusal == nil { memory.fresh.append(key) }
      }
    }
  }

  /// Appends to the disk what is not there yet, all or nothing.
  ///
  /// - Parameter least: The fewest features that are worth the two fsyncs.
  /// - Throws: What the file system refuses; the features stay in memory.
  public func flush(atLeast least: Int = 1) throws {
    if let refusal = memory.withLock(\.refusal) { throw refusal }
    try write(atLeast: least)
  }

  private func write(atLeast least: Int) throws {
    guard isWritable else { return }
    try disk.withLock { disk in
      let fresh = memory.withLock { memory -> [(FeatureKey, [Float])] in
        guard memory.fresh.count >= least else { return [] }
        return memory.fresh.compactMap { key in memory.rows[key].map { (key, $0) } }
      }
      guard !fresh.isEmpty else { return }
      let new = fresh.filter { disk?.places[$0.0] == nil }
      try disk?.append(new)
      memory.withLock { $0.fresh = [] }
    }
  }

  /// Gives up what is in memory, but for what waits for the disk.
  public func forget() {
    memory.withLock { memory in
      let waiting = Set(memory.fresh)
      memory.rows = memory.rows.filter { waiting.contains($0.key) }
    }
  }

  /// Features on disk.
  public var countOnDisk: Int { disk.withLock { $0?.places.count ?? 0 } }
}
