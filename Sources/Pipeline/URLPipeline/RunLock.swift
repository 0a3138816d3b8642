import DurableFiles
import Glibc
package import PipelineCore

/// Other processes work on a run whose options are to be changed, or one is changing them.
public struct FolderInUseError: Error, Sendable, Equatable, CustomStringConvertible {
  public var folder: String

  public var description: String {
    "\(folder): another process works on this run. Wait for its end, or stop it (Ctrl-C), then try"
      + " again."
  }
}

/// Keeps the processes that work on a run apart from one that changes what it goes by.
///
/// Any number may work at a time, each with the options that the ledger was bound to when it began;
/// who rebinds the ledger must be alone, or a worker would go on with the old ones between two leases.
/// flock(2) on the folder itself: no file is made, and the lock ends with its process, however that
/// ends. A file system without such locks has none; leases still guard each job.
package final class RunLock: Sendable {
  private let file: Int32

  private init(_ folder: RunFolder, _ operation: Int32) throws {
    let file = unsafe open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else {
      throw FileError(operation: "open", path: folder.path, errorNumber: errno)
    }
    if flock(file, operation | LOCK_NB) != 0 && errno == EWOULDBLOCK {
      close(file)
      throw FolderInUseError(folder: folder.path)
    }
    self.file = file
  }

  deinit {
    // Closing gives it up too, but not while a process is being started: that one holds all descriptors
    // until its exec.
    flock(file, LOCK_UN)
    close(file)
  }

  /// Held by who works.
  static func shared(_ folder: RunFolder) throws -> RunLock { try RunLock(folder, LOCK_SH) }

  /// Held by who rebinds, and by who repairs, releases or forgets.
  package static func alone(_ folder: RunFolder) throws -> RunLock { try RunLock(folder, LOCK_EX) }

  /// Gives the right to work up for that to be alone.
  ///
  /// - Returns: Whether nobody else works. Of several that end, the last is told so: a failed
  ///   conversion has given its own lock up (flock(2)).
  func becomeAlone() -> Bool {
    if flock(file, LOCK_EX | LOCK_NB) == 0 { return true }
    return errno != EWOULDBLOCK
  }
}
