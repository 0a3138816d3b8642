import DurableFiles
import Glibc

/// Keeps a work folder for one process, until it goes.
final class WorkLock {
  private let file: Int32

  /// - Parameters:
  ///   - path: A file in the folder, which is there.
  ///   - folder: As errors name it.
  /// - Throws: ``ShardDeduplicationError/inUse(_:)``, `FileError`.
  init(_ path: String, of folder: String) throws {
    file = unsafe open(path, O_RDWR | O_CLOEXEC)
    guard file >= 0 else {
      throw FileError(operation: "open", path: path, errorNumber: errno)
    }
    // A file system without such locks has none.
    if flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK {
      close(file)
      throw ShardDeduplicationError.inUse(folder)
    }
  }

  deinit {
    // Closing gives it up too, but not while a process is being started: that one holds all descriptors
    // until its exec.
    flock(file, LOCK_UN)
    close(file)
  }
}
