import DurableFiles
import Glibc

/// A file's bytes in the address space, read by the system as they are looked at.
///
/// Nobody may shorten the file meanwhile: a page that is gone ends the process (SIGBUS). Published files are
/// replaced by another of the same name and never cut, so this holds for them.
@safe final class MappedFile: @unchecked Sendable {
  // Sendable: nobody writes to the mapping.
  let path: String
  let size: Int
  private let base: UnsafeRawPointer?

  init(_ path: String) throws(FileError) {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw FileError(operation: "open", path: path, errorNumber: errno)
    }
    defer { close(file) }
    var information = stat()
    guard unsafe fstat(file, &information) == 0 else {
      throw FileError(operation: "stat", path: path, errorNumber: errno)
    }
    guard information.st_mode & S_IFMT == S_IFREG else {
      throw FileError(operation: "be read as a file", path: path, errorNumber: EINVAL)
    }
    self.path = path
    size = Int(information.st_size)
    guard size > 0 else {
      unsafe base = nil
      return
    }
    guard let mapped = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, file, 0),
      unsafe mapped != MAP_FAILED
    else { throw FileError(operation: "map", path: path, errorNumber: errno) }
    // Rows are read from front to end, many at a time.
    unsafe madvise(mapped, size, Int32(MADV_SEQUENTIAL))
    unsafe base = UnsafeRawPointer(mapped)
  }

  /// Bytes in a file that has no name and goes with this; in `TMPDIR`.
  init(temporary bytes: [UInt8], of path: String) throws(FileError) {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var name = Array("\(folder)/pairloom-XXXXXX".utf8CString)
    let file = unsafe mkstemp(&name)
    guard file >= 0 else {
      throw FileError(operation: "unpack to \(folder)", path: path, errorNumber: errno)
    }
    defer { close(file) }
    _ = unsafe unlink(name)
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe write(file, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw FileError(operation: "unpack to \(folder)", path: path, errorNumber: errno)
      }
      written += count
    }
    self.path = path
    size = bytes.count
    guard size > 0 else {
      unsafe base = nil
      return
    }
    guard let mapped = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, file, 0),
      unsafe mapped != MAP_FAILED
    else { throw FileError(operation: "map", path: path, errorNumber: errno) }
    unsafe base = UnsafeRawPointer(mapped)
  }

  deinit {
    if let base = unsafe base { unsafe munmap(UnsafeMutableRawPointer(mutating: base), size) }
  }

  /// A copy of some bytes; fewer where the file ends.
  func bytes(_ range: Range<Int>) -> [UInt8] {
    let range = range.clamped(to: 0..<size)
    guard !range.isEmpty else { return [] }
    return unsafe withBytes(range) { unsafe Array($0) }
  }

  /// Safe: the range is within the mapping, which outlives the call.
  func withBytes<R>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= size, "\(path): bytes \(range) of \(size)")
    return unsafe body(
      UnsafeRawBufferPointer(start: base.map { unsafe $0 + range.lowerBound }, count: range.count))
  }
}
