import DurableFiles
import Glibc

/// Another process trains into the same folder.
public struct FolderInUse: Error, Equatable, Sendable, CustomStringConvertible {
  public var folder: String

  public var description: String {
    "\(folder): another run is training into it. Wait for its end, or train into another folder."
  }
}

/// Keeps a second run out of a folder; the system gives it free when the process dies.
@safe final class FolderLock {
  private let descriptor: Int32

  /// Takes the lock, waiting up to `patience` seconds for a run that is just dying.
  ///
  /// - Throws: ``FolderInUse``; `FileError` where the lock's file cannot be opened.
  init(_ folder: String, patience: Double = 5) throws {
    let path = folder + "/training.lock"
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw FileError(operation: "open", path: path, errorNumber: errno)
    }
    let end = StepMeter.now() + patience
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let reason = errno
      guard reason == EWOULDBLOCK || reason == EINTR else {
        // A file system without locks is no reason not to train.
        if reason == ENOLCK || reason == ENOSYS || reason == EOPNOTSUPP { break }
        close(descriptor)
        throw FileError(operation: "lock", path: path, errorNumber: reason)
      }
      guard StepMeter.now() < end else {
        close(descriptor)
        throw FolderInUse(folder: folder)
      }
      usleep(20_000)
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
