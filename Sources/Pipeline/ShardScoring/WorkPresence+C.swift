import DurableFiles
import Glibc

/// Tells whether other processes are at work in a folder, for the last of them to clear it.
///
/// A shared flock(2) on a file in it, which ends with its process, however that ends. On a file system without
/// such locks each process takes itself for the last.
final class WorkPresence: Sendable {
  private let file: Int32

  /// Nil where the folder is being cleared, or just was: make it anew.
  ///
  /// - Parameter path: Of the file; made where it is not there.
  /// - Throws: Where the file cannot be made.
  init?(_ path: String) throws(FileError) {
    // Not yet the object's own, which closes it whenever it has it, also where this fails.
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw FileError(operation: "open", path: path, errorNumber: errno)
    }
    let isBusy = flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    var state = stat()
    // Opened before it was removed, and locked behind that: nobody else sees it any more.
    let isGone = unsafe fstat(file, &state) == 0 && state.st_nlink == 0
    if isBusy || isGone {
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

  /// Whether nobody else is at work; of several that end, the last is told so.
  func becomeAlone() -> Bool {
    if flock(file, LOCK_EX | LOCK_NB) == 0 { return true }
    return errno != EWOULDBLOCK
  }
}
