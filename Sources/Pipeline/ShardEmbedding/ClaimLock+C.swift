import DurableFiles
import Glibc

/// A claim on a piece of work that ends with the process at the latest.
final class ClaimLock {
  private let file: Int32

  /// Nil where another process, or another claim of this one, has it.
  ///
  /// On a file system without such locks everybody gets it: the work is then done twice, with the same result.
  init?(_ path: String) throws {
    file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      // The work is over, and its folder gone.
      if errno == ENOENT { return nil }
      throw FileError(operation: "open", path: path, errorNumber: errno)
    }
    if flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK { return nil }
  }

  deinit {
    if file >= 0 { close(file) }
  }
}
