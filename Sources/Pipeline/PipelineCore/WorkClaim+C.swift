public import DurableFiles
import Glibc

/// A claim of this process on a piece of work; it ends with the process at the latest.
///
/// Once the work is over its file may be removed: who claims it then finds the result.
public final class WorkClaim {
  private let file: Int32

  /// Nil where another claim holds it.
  ///
  /// On a file system without such locks nobody is refused: the work is then done twice, with the same result.
  /// - Parameter path: A file that is made where it is not there, in a folder that is.
  /// - Throws: Where the file cannot be made.
  public init?(_ path: String) throws(FileError) {
    // Not yet the object's own, which closes it whenever it has it, also where this fails.
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      throw FileError(operation: "open", path: path, errorNumber: errno)
    }
    if flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK {
      close(file)
      return nil
    }
    self.file = file
  }

  deinit {
    // Closing gives it up too, but not while a process is being started: that one holds all descriptors
    // until its exec.
    flock(file, LOCK_UN)
    close(file)
  }
}
