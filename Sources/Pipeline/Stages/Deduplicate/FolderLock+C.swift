import DurableFiles
import Glibc

/// Keeps a folder for one user at a time, of this process or another, until it goes.
final class FolderLock {
  private let file: Int32

  private init(_ file: Int32) { self.file = file }

  deinit {
    // Closing gives it up too, but not while a process is being started: that one holds all descriptors
    // until its exec.
    flock(file, LOCK_UN)
    close(file)
  }

  /// - Returns: Nil where somebody else has it.
  /// - Throws: `FileError` where there can be no lock.
  static func take(_ folder: String) throws(FileError) -> FolderLock? {
    let path = "\(folder)/lock"
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      throw FileError(operation: "open", path: path, errorNumber: errno)
    }
    let lock = FolderLock(file)
    // A file system without such locks has none; leases still guard each job.
    if flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK { return nil }
    return lock
  }

  /// Waits for it.
  ///
  /// - Returns: Nil where somebody else has it for all of `milliseconds`.
  static func wait(_ folder: String, milliseconds: Int) async throws -> FolderLock? {
    var waited = 0
    while true {
      if let lock = try take(folder) { return lock }
      if waited >= milliseconds { return nil }
      try await Task.sleep(for: .milliseconds(20))
      waited += 20
    }
  }
}
