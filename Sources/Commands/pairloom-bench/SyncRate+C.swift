import DurableFiles
import Glibc

/// How often a disk makes a small append durable: the measure of every durable transaction.
enum SyncRate {
  /// Appends 4 KiB and calls fdatasync(2) for half a second.
  ///
  /// - Parameter folder: On the disk to measure; the file is removed.
  /// - Returns: Appends per second.
  /// - Throws: ``FileError``.
  static func measure(in folder: String) throws -> Double {
    let path = folder + "/fsync"
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw FileError(operation: "create", path: path, errorNumber: errno) }
    defer {
      close(file)
      unsafe unlink(path)
    }
    let page = [UInt8](repeating: 0x5A, count: 4096)
    let start = Rounds.Clock.wall.now
    var count = 0
    while Rounds.Clock.wall.now - start < 0.5 {
      guard unsafe write(file, page, page.count) == page.count else {
        throw FileError(operation: "write", path: path, errorNumber: errno)
      }
      guard fdatasync(file) == 0 else {
        throw FileError(operation: "fdatasync", path: path, errorNumber: errno)
      }
      count += 1
    }
    return Double(count) / (Rounds.Clock.wall.now - start)
  }
}
