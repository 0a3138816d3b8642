import ContentHashing
import DurableFiles
import Glibc

/// A file that grows, beside a note that says what it is a part of; both outlive the process.
///
/// Whoever holds one is alone with it: flock(2) on the file itself, which ends with the process. A file system
/// without such locks has none.
@safe final class PartFile {
  private let destination: String
  let path: String
  private let notePath: String
  private let file: Int32
  private(set) var size: Int

  /// Opens what is there, or makes it; nil while another download holds it.
  init?(for destination: String) throws {
    self.destination = destination
    path = destination + ".part"
    notePath = destination + ".part.note"
    var (opened, bytes): (Int32, Int?) = (-1, nil)
    while bytes == nil {
      opened = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard opened >= 0 else { throw FileError(operation: "open", path: path, errorNumber: errno) }
      if flock(opened, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK {
        close(opened)
        return nil
      }
      bytes = try Self.size(of: opened, stillAt: path)
      // Its holder has published or removed it between our opening and locking: the next one is new.
      if bytes == nil { close(opened) }
    }
    file = opened
    size = bytes ?? 0
  }

  /// The size of an open file; nil where the path has meanwhile become another's, or nobody's.
  private static func size(of file: Int32, stillAt path: String) throws -> Int? {
    var (facts, named) = (stat(), stat())
    guard unsafe fstat(file, &facts) == 0 else {
      let number = errno
      close(file)
      throw FileError(operation: "look at", path: path, errorNumber: number)
    }
    let isThere = unsafe stat(path, &named) == 0
    return isThere && named.st_ino == facts.st_ino && named.st_dev == facts.st_dev
      ? Int(facts.st_size) : nil
  }

  deinit {
    // Closing gives the lock up too, but not while a process is being started, which holds all descriptors
    // until its exec.
    flock(file, LOCK_UN)
    close(file)
  }

  /// The URL and the validator of the answer that the bytes are of; nil where nobody has said.
  func note(of url: String) throws -> String? {
    guard DurableFile.exists(notePath) else { return nil }
    let lines = String(decoding: try DurableFile.read(notePath), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    return lines.count >= 2 && lines[0] == url && !lines[1].isEmpty ? String(lines[1]) : nil
  }

  func write(note validator: String, of url: String) throws {
    try DurableFile.write("\(url)\n\(validator)\n", to: notePath)
  }

  /// Gives up what has come.
  func clear() throws {
    guard ftruncate(file, 0) == 0 else {
      throw FileError(operation: "empty", path: path, errorNumber: errno)
    }
    size = 0
    try DurableFile.remove(notePath)
  }

  func append(_ bytes: Span<UInt8>) throws(FileError) {
    var problem: Int32 = 0
    unsafe bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count && problem == 0 {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
        let count = unsafe pwrite(file, rest.baseAddress, rest.count, off_t(size + done))
        if count > 0 { done += count } else if errno != EINTR { problem = errno }
      }
      size += done
    }
    guard problem == 0 else {
      throw FileError(operation: "write", path: path, errorNumber: problem)
    }
  }

  /// SHA-256 of all that has come, in hexadecimal digits.
  func sha256() throws -> String { try FileDigest.sha256(of: path) }

  /// Makes the file durable and gives it its name.
  func publish() throws {
    guard fsync(file) == 0 else {
      throw FileError(operation: "make durable", path: path, errorNumber: errno)
    }
    // The note first: once the part is gone, another download may make both anew.
    try DurableFile.remove(notePath)
    try DurableFile.move(path, to: destination)
  }

  /// Removes what has come.
  func discard() throws {
    try DurableFile.remove(notePath)
    try DurableFile.remove(path)
  }

  /// The bytes that are free in the file's folder; nil where the system does not say.
  var freeBytes: Int? {
    var space = statvfs()
    guard unsafe fstatvfs(file, &space) == 0 else { return nil }
    return Int(clamping: UInt64(space.f_bavail) &* UInt64(space.f_frsize))
  }
}

/// What a file system has left.
public enum FreeSpace {
  /// Bytes that a person may use there; nil where the system does not say.
  public static func bytes(in folder: String) -> Int? {
    var space = statvfs()
    guard unsafe statvfs(folder, &space) == 0 else { return nil }
    return Int(clamping: UInt64(space.f_bavail) &* UInt64(space.f_frsize))
  }
}
