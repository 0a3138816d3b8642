import DurableFiles
import Glibc

/// An open file of segments, closed when its owner goes; its lock ends with it.
final class SegmentDescriptor {
  let number: Int32
  /// What errors call it.
  let path: String

  init(_ path: String, flags: Int32, name: String) throws(FileError) {
    number = unsafe open(path, flags | O_CLOEXEC, 0o644)
    self.path = name
    guard number >= 0 else { throw error("open") }
  }

  // What was written has been waited for by fsync(2).
  deinit {
    guard number >= 0 else { return }
    // Closing gives the lock up too, but not while a process is being started: that one holds all
    // descriptors until its exec.
    flock(number, LOCK_UN)
    close(number)
  }

  private func error(_ operation: String) -> FileError {
    FileError(operation: operation, path: path, errorNumber: errno)
  }

  /// Takes the writer's lock, which the system gives up with the file, however its process ends.
  ///
  /// - Returns: Whether nobody else has it. A file system without such locks lets everybody write.
  func lock() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK }

  func size() throws(FileError) -> Int {
    var facts = stat()
    guard unsafe fstat(number, &facts) == 0 else { throw error("stat") }
    return Int(facts.st_size)
  }

  /// Whether `path` still names this file: a compacted one has taken the place of its predecessor.
  func isNamed(_ path: String) throws(FileError) -> Bool {
    var own = stat()
    var named = stat()
    guard unsafe fstat(number, &own) == 0, unsafe stat(path, &named) == 0 else {
      throw error("stat")
    }
    return own.st_ino == named.st_ino && own.st_dev == named.st_dev
  }

  /// Up to `count` bytes; fewer only at the file's end.
  func read(count: Int, at offset: Int) throws(FileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = unsafe bytes.withUnsafeMutableBytes { room in
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[filled...])
        return unsafe pread(number, rest.baseAddress, rest.count, off_t(offset + filled))
      }
      if got < 0 {
        if errno == EINTR { continue }
        throw error("read")
      }
      if got == 0 { break }
      filled += got
    }
    return Array(bytes.prefix(filled))
  }

  func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let put = unsafe bytes.withUnsafeBytes { source in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: source[done...])
        return unsafe pwrite(number, rest.baseAddress, rest.count, off_t(offset + done))
      }
      if put < 0 {
        if errno == EINTR { continue }
        throw error("write")
      }
      done += put
    }
  }

  /// Gives a part of the file its blocks: to write to a mapped hole of a full disk ends the process.
  func allocate(_ range: Range<Int>) throws(FileError) {
    let code = posix_fallocate(number, off_t(range.lowerBound), off_t(range.count))
    guard code == 0 else {
      throw FileError(operation: "write", path: path, errorNumber: code)
    }
  }

  func truncate(to size: Int) throws(FileError) {
    guard ftruncate(number, off_t(size)) == 0 else { throw error("be cut") }
  }

  /// Waits until the disk holds what was written, through mappings too.
  func synchronize() throws(FileError) {
    while fsync(number) != 0 {
      if errno != EINTR { throw error("be made durable (fsync)") }
    }
  }

  /// Makes the name of a file durable.
  static func synchronizeFolder(of path: String) throws(FileError) {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    try SegmentDescriptor(folder, flags: O_RDONLY | O_DIRECTORY, name: folder).synchronize()
  }
}
