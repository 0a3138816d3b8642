import Glibc

/// A ledger's file looked at from outside, without SQLite.
package enum LedgerFile {
  /// The size in bytes; nil where there is no such file.
  ///
  /// Opens nothing: to close a file ends the locks that SQLite holds on it in this process (POSIX,
  /// fcntl: "all locks associated with a file for a given process shall be removed").
  package static func size(_ path: String) -> Int? {
    var facts = stat()
    return unsafe stat(path, &facts) == 0 ? Int(facts.st_size) : nil
  }

  /// The process that has the ledger open; nil where none has, or where that cannot be told.
  ///
  /// SQLite keeps a shared lock on a database in WAL mode as long as it is open. Only for a process
  /// that has not opened it itself.
  package static func holder(of path: String) -> Int32? {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    guard unsafe fcntl(file, F_GETLK, &lock) == 0, lock.l_type != Int16(F_UNLCK) else { return nil }
    return lock.l_pid
  }
}
