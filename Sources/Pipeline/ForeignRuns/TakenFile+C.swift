import DurableFiles
import Glibc

/// A file of another folder under a name in ours.
enum TakenFile {
  /// Links `path` to `new`, or copies it where the filesystem links nothing; the file stays as it is.
  ///
  /// Durable when it returns, its folder's entry aside, which the next file that is published beside it
  /// makes so. What stands under `new` is replaced.
  ///
  /// - Parameters:
  ///   - path: A file, or a symbolic link to one.
  ///   - new: Where it goes.
  ///   - isCopied: Whether it is copied in any case.
  /// - Returns: Whether it was linked.
  /// - Throws: `FileError` where the system refuses.
  static func take(_ path: String, to new: String, copying isCopied: Bool) throws -> Bool {
    try DurableFile.remove(new)
    // Safe: linkat (POSIX.1-2017) reads two C strings that live as long as the call.
    if !isCopied, unsafe linkat(AT_FDCWD, path, AT_FDCWD, new, AT_SYMLINK_FOLLOW) == 0 {
      let number = unsafe open(new, O_RDONLY | O_CLOEXEC)
      guard number >= 0 else {
        throw FileError(operation: "open", path: new, errorNumber: errno)
      }
      defer { close(number) }
      guard fsync(number) == 0 else {
        throw FileError(operation: "fsync", path: new, errorNumber: errno)
      }
      return true
    }
    let reader = try FileReader(path)
    let writer = try DurableFileWriter(new)
    while writer.byteCount < reader.size {
      let piece = try reader.read(count: 4 << 20, at: writer.byteCount)
      if piece.isEmpty { break }  // cut meanwhile: reading it as a tar tells
      try writer.write(piece)
    }
    try writer.commit()
    return false
  }
}
