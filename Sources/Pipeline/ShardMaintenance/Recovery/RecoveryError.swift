import DurableFiles
import Glibc
import PairDataset
import ParquetFile

/// Why a ledger cannot be made again.
public enum RecoveryError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Nothing tells the run's options.
  case withoutRecord(folder: String)
  /// What ingest has written is lost in part, and all else follows from it.
  case listIsLost(file: String, problem: String)
  /// A process has the ledger open.
  case atWork(folder: String, process: Int32)

  public var description: String {
    switch self {
    case .withoutRecord(let folder):
      "\(folder)/run.json: it is missing or damaged like the ledger, and no other file tells the run's"
        + " options. Run the list in a new folder."
    case .listIsLost(let file, let problem):
      "\(file): \(problem). The ledger cannot be made again without the list's rows. Run the list in"
        + " a new folder."
    case .atWork(let folder, let process):
      "\(folder): process \(process) has the ledger open. End it, then repair."
    }
  }
}

/// What a file holds that may be damaged: nil where it is missing or cannot be understood.
///
/// - Parameter body: Reads it.
/// - Returns: What `body` gives.
/// - Throws: `FileError` where the machine is at fault: that a file cannot be opened does not make it
///   damaged.
func unlessDamaged<T>(_ body: () throws -> T) throws -> T? {
  func check(_ fault: FileError?) throws {
    if let fault, fault.errorNumber != ENOENT { throw fault }
  }
  do {
    return try body()
  } catch let error as FileError {
    try check(error)
  } catch let error as ShardError {
    if case .file(let fault) = error.reason { try check(fault) }
  } catch let error as ParquetError {
    if case .file(let fault) = error.problem { try check(fault) }
  } catch is CancellationError {
    throw CancellationError()
  } catch {
    // It was read, and is not what its stage writes.
  }
  return nil
}
