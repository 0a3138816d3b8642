import ContentHashing
import DurableFiles
import FoundationEssentials
import Glibc
import TensorEngine
import WeightFiles

/// Why a checkpoint cannot be used.
public struct CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    /// The file cannot be written, or is no safetensors file.
    case unusable(String)
    /// The system refused to read it, which says nothing about its contents.
    case unreadable(String)
    /// Its metadata lacks the record or the checksum.
    case noRecord
    case checksumMismatch
    /// It was written with another configuration or seed.
    case otherConfiguration(String)
    /// There are checkpoints, but none can be loaded; with what is wrong with the newest.
    case allBroken(count: Int, newest: String)
    /// It could not be written, nor could the one after it; with the newest that is whole.
    case notWritten(String, lastGood: String?)
  }
  public var path: String
  public var reason: Reason

  public init(path: String, reason: Reason) {
    self.path = path
    self.reason = reason
  }

  public var description: String {
    switch reason {
    // What the file system says begins with the path itself.
    case .unusable(let why), .unreadable(let why):
      why.hasPrefix(path + ":") ? why : "\(path): \(why)"
    case .noRecord: "\(path): holds no training record; it was not written as a checkpoint."
    case .checksumMismatch: "\(path): its contents do not have the checksum that it states."
    case .otherConfiguration(let why):
      "\(path): \(why). Train into another folder, or restore the manifest that began this one."
    case .allBroken(let count, let newest):
      "\(path): none of its \(count) checkpoints can be loaded (\(newest)). Restore one from a copy, "
        + "or remove the folder to begin again at step 0."
    case .notWritten(let why, let lastGood):
      "\(why)\(why.hasSuffix(".") ? "" : ".") This was tried twice, so the run ended. "
        + (lastGood.map { "The last good checkpoint is \($0). " } ?? "There is no checkpoint yet. ")
        + "Make room or mend the disk, then run the same command again."
    }
  }
}

/// The checkpoints of one run, in one folder: `step-00000120.safetensors`, and `best.safetensors`.
///
/// Each is one safetensors file with the parameters under their own names, the optimizer state under
/// `optimizer.`, a moving average under `ema.`, and in the metadata the record as JSON and a SHA-256
/// over both. A file appears whole or not at all.
public struct CheckpointStore: Sendable {
  public let folder: String
  /// How many of the newest are kept.
  public let keeps: Int

  private static let optimizerPrefix = "optimizer."
  private static let averagePrefix = "ema."
  private static let filePrefix = "step-"
  private static let fileSuffix = ".safetensors"

  public init(folder: String, keeps: Int = 3) {
    precondition(keeps > 0, "a store keeps at least one checkpoint, not \(keeps)")
    self.folder = folder
    self.keeps = keeps
  }

  /// Writes `checkpoint` durably, then removes the oldest beyond ``keeps``, never the one just written.
  ///
  /// - Returns: The file's path.
  @discardableResult
  public func save(_ checkpoint: Checkpoint) throws(CheckpointError) -> String {
    let path = path(step: checkpoint.record.step)
    do {
      try DurableFile.makeFolder(folder)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      let record = String(
        decoding: [UInt8](try encoder.encode(checkpoint.record)), as: UTF8.self)
      let tensors =
        checkpoint.parameters
        + checkpoint.optimizer.map { (Self.optimizerPrefix + $0.name, $0.tensor) }
        + checkpoint.averages.map { (Self.averagePrefix + $0.name, $0.tensor) }
      try SafeTensors.write(
        tensors,
        metadata: ["record": record, "sha256": Self.checksum(of: tensors, record: record)],
        to: path)
      let others = try paths().filter { $0 != path }
      for old in others.dropLast(keeps - 1) { try DurableFile.remove(old) }
    } catch {
      throw CheckpointError(path: path, reason: .unusable("\(error)"))
    }
    return path
  }

  /// The path of the checkpoint of a step.
  public func path(step: Int) -> String {
    let digits = String(step)
    let padding = String(repeating: "0", count: max(0, 8 - digits.count))
    return "\(folder)/\(Self.filePrefix)\(padding)\(digits)\(Self.fileSuffix)"
  }

  /// The path of the best checkpoint, which is there once one was marked.
  public var bestPath: String { folder + "/best" + Self.fileSuffix }

  /// Makes the file of a step the best one too: a second name, so that it outlives its step's.
  ///
  /// - Throws: `unusable` when the system refuses.
  public func markBest(_ path: String) throws(CheckpointError) {
    let temporary = "\(bestPath).\(getpid()).tmp"
    do throws(FileError) {
      try DurableFile.remove(temporary)
      if unsafe link(path, temporary) == 0 {
        try DurableFile.move(temporary, to: bestPath)
        // rename(2) does nothing where both are names of one file already.
        try DurableFile.remove(temporary)
      } else {
        // Some file systems know no second names.
        try DurableFile.write(try DurableFile.read(path), to: bestPath)
      }
    } catch {
      throw CheckpointError(path: bestPath, reason: .unusable("\(error)"))
    }
  }

  /// The newest checkpoint that is whole.
  ///
  /// - Returns: The checkpoint, nil when there is none, and what was wrong with each newer file.
  /// - Throws: `unreadable` for a file that may well be whole.
  public func latest() throws(CheckpointError) -> (
    checkpoint: Checkpoint?, warnings: [CheckpointError]
  ) {
    var warnings: [CheckpointError] = []
    let paths: [String]
    do { paths = try self.paths() } catch {
      throw CheckpointError(path: folder, reason: .unusable("\(error)"))
    }
    for path in paths.reversed() {
      do throws(CheckpointError) { return (try Self.load(path), warnings) } catch {
        if case .unreadable = error.reason { throw error }
        warnings.append(error)
      }
    }
    return (nil, warnings)
  }

  /// Renames damaged files to `….broken`, where they neither count as checkpoints nor are lost.
  ///
  /// - Parameter warnings: As ``latest()`` gave them.
  /// - Throws: `unusable` when the system refuses.
  public func setAside(_ warnings: [CheckpointError]) throws(CheckpointError) {
    for warning in warnings {
      guard unsafe rename(warning.path, warning.path + ".broken") == 0 else {
        let error = FileError(
          operation: "rename to .broken", path: warning.path, errorNumber: errno)
        throw CheckpointError(path: warning.path, reason: .unusable("\(error)"))
      }
    }
  }

  /// Reads and verifies one file.
  public static func load(_ path: String) throws(CheckpointError) -> Checkpoint {
    let file: WeightFile
    do { file = try SafeTensors.read(path) } catch {
      if case .unreadable(let why) = error.reason {
        throw CheckpointError(path: path, reason: .unreadable("\(why)"))
      }
      throw CheckpointError(path: path, reason: .unusable("\(error)"))
    }
    guard let text = file.metadata["record"], let stated = file.metadata["sha256"] else {
      throw CheckpointError(path: path, reason: .noRecord)
    }
    let tensors = file.tensors.map { (name: $0.key, tensor: $0.value) }
      .sorted { $0.name < $1.name }
    guard checksum(of: tensors, record: text) == stated else {
      throw CheckpointError(path: path, reason: .checksumMismatch)
    }
    let record: CheckpointRecord
    do {
      record = try JSONDecoder().decode(CheckpointRecord.self, from: Data(Array(text.utf8)))
    } catch {
      throw CheckpointError(path: path, reason: .unusable("its record: \(error)"))
    }
    func below(_ prefix: String) -> [(name: String, tensor: Tensor)] {
      tensors.filter { $0.name.hasPrefix(prefix) }
        .map { (String($0.name.dropFirst(prefix.count)), $0.tensor) }
    }
    return Checkpoint(
      parameters: tensors.filter {
        !$0.name.hasPrefix(optimizerPrefix) && !$0.name.hasPrefix(averagePrefix)
      },
      optimizer: below(optimizerPrefix), averages: below(averagePrefix), record: record)
  }

  /// Paths of the checkpoints, oldest first.
  public func paths() throws -> [String] {
    try DurableFile.names(in: folder)
      .filter { $0.hasPrefix(Self.filePrefix) && $0.hasSuffix(Self.fileSuffix) }
      .map { folder + "/" + $0 }
  }

  private static func checksum(
    of tensors: [(name: String, tensor: Tensor)], record: String
  ) -> String {
    var hash = ContentHash()
    Checkpoint.update(&hash, tensors)
    hash.update(Array(record.utf8))
    return hash.hexDigest()
  }
}
