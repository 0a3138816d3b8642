import DurableFiles
import Glibc

/// An open file of the list, read at any place.
final class ListFile {
  let path: String
  let size: Int
  private let descriptor: Int32

  init(path: String) throws(ListError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure(path, "open") }
    var information = stat()
    // Safe: `information` outlives the call.
    guard unsafe fstat(descriptor, &information) == 0 else {
      let failure = Self.failure(path, "look at")
      close(descriptor)
      throw failure
    }
    // A pipe cannot be read again after an interruption.
    guard information.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .unreadable(path: path, problem: "it is no regular file; store it in one")
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(information.st_size)
  }

  deinit { close(descriptor) }

  /// Up to `count` bytes from `offset`; fewer only at the end.
  func read(_ count: Int, at offset: Int) throws(ListError) -> [UInt8] {
    let room = max(0, min(count, size - offset))
    var isRead = true
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
      while filled < room {
        // Safe: the buffer has `room` bytes, of which `filled` are written.
        let got = unsafe pread(
          descriptor, buffer.baseAddress.map { unsafe $0 + filled }, room - filled,
          off_t(offset + filled))
        if got < 0 && errno == EINTR { continue }
        isRead = got >= 0
        if got <= 0 { return }
        filled += got
      }
    }
    guard isRead else { throw Self.failure(path, "read") }
    return bytes
  }

  private static func failure(_ path: String, _ operation: String) -> ListError {
    .refused(FileError(operation: operation + " the list", path: path, errorNumber: errno))
  }
}

/// What stands in the file system.
enum FileKind {
  case file, folder, other

  /// Nil where nothing stands at `path`.
  init?(path: String) {
    var information = stat()
    guard unsafe stat(path, &information) == 0 else { return nil }
    switch information.st_mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    default: self = .other
    }
  }
}

/// The paths that match a pattern of the shell, sorted by bytes.
///
/// - Throws: ``ListError/refused(_:)`` where a folder cannot be looked through: half a list would pass for
///   the whole.
func matches(ofGlob pattern: String) throws(ListError) -> [String] {
  var found = unsafe glob_t()
  defer { unsafe globfree(&found) }
  let code = unsafe glob(pattern, GLOB_BRACE | GLOB_NOSORT | GLOB_ERR, nil, &found)
  if code == GLOB_NOMATCH || (code == GLOB_ABORTED && errno == ENOENT) { return [] }
  guard code == 0 else {
    let number = code == GLOB_NOSPACE ? ENOMEM : errno
    throw .refused(FileError(operation: "list what matches", path: pattern, errorNumber: number))
  }
  var paths: [String] = []
  for index in 0..<Int(unsafe found.gl_pathc) {
    // Safe: glob(3) fills gl_pathv with gl_pathc strings, freed by globfree.
    if let path = unsafe found.gl_pathv[index] { paths.append(unsafe String(cString: path)) }
  }
  return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

/// The place of the first `byte` in `bytes[start..<end]`; `end` when there is none.
@inline(__always)
func place(of byte: UInt8, in bytes: [UInt8], _ start: Int, _ end: Int) -> Int {
  guard start < end else { return end }
  precondition(start >= 0 && end <= bytes.count, "\(start)..<\(end) of \(bytes.count) bytes")
  return unsafe bytes.withUnsafeBytes { buffer in
    // Safe: the range was checked above.
    guard let base = buffer.baseAddress,
      let found = unsafe memchr(base + start, Int32(byte), end - start)
    else { return end }
    return unsafe base.distance(to: UnsafeRawPointer(found))
  }
}
