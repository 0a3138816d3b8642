import Glibc

/// An open file, closed when its owner goes.
struct FileDescriptor: ~Copyable {
  let number: Int32
  /// What errors call it.
  let path: String

  /// Opens `path`; errors call it `name`, where the path means nothing to anybody.
  init(
    _ path: String, flags: Int32, mode: mode_t = 0o644, name: String? = nil
  ) throws(FileError) {
    let number = unsafe open(path, flags | O_CLOEXEC, mode)
    guard number >= 0 else { throw .current("open", name ?? path) }
    self.number = number
    self.path = name ?? path
  }

  // An error of close(2) could only tell of a write that fsync(2) has waited for, or of a reader.
  deinit { close(number) }

  /// Writes all of `bytes`; a short write is continued.
  func write(_ bytes: Span<UInt8>) throws(FileError) {
    var failure: FileError?
    unsafe bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
        let count = unsafe Glibc.write(number, rest.baseAddress, rest.count)
        if count < 0 {
          if errno == EINTR { continue }
          failure = .current("write", path)
          return
        }
        done += count
      }
    }
    if let failure { throw failure }
  }

  /// Reads up to `count` bytes from `offset`; fewer only at the end of the file.
  func read(count: Int, at offset: Int) throws(FileError) -> [UInt8] {
    var failure: FileError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      let room = UnsafeMutableRawBufferPointer(buffer)
      filled = unsafe read(into: room, at: offset, failure: &failure)
    }
    if let failure { throw failure }
    return bytes
  }

  /// Fills `room` from `offset` and gives the bytes read; fewer than it holds only at the file's end.
  func read(
    into room: UnsafeMutableRawBufferPointer, at offset: Int, failure: inout FileError?
  ) -> Int {
    var filled = 0
    while filled < room.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[filled...])
      let got = unsafe pread(number, rest.baseAddress, rest.count, off_t(offset + filled))
      if got < 0 {
        if errno == EINTR { continue }
        failure = .current("read", path)
        return 0
      }
      if got == 0 { break }
      filled += got
    }
    return filled
  }

  func size() throws(FileError) -> Int {
    var information = stat()
    guard unsafe fstat(number, &information) == 0 else { throw .current("stat", path) }
    return Int(information.st_size)
  }

  /// Waits until the disk holds what was written.
  func synchronize() throws(FileError) {
    while fsync(number) != 0 {
      if errno != EINTR { throw .current("be made durable (fsync)", path) }
    }
  }
}
