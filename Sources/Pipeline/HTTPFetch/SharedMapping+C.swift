import Glibc

/// Bytes that all processes that map one file share, zeros at first; or memory of this process alone.
///
/// Pointer contract: the mapping lives as long as the object, and the file is never made shorter.
@safe final class SharedMapping: @unchecked Sendable {
  // Sendable: all here is constant; who writes to the bytes does so by atomics.
  let base: UnsafeMutableRawPointer
  /// Of the file; -1 without one.
  let descriptor: Int32
  private let byteCount: Int

  /// - Parameters:
  ///   - path: Of a file on a local disk, made when it is not there; nil for memory.
  ///   - byteCount: How long the file is to be.
  ///   - kind: What it holds, in the words of an error, such as "table of rates".
  /// - Throws: `FetcherError` when the file cannot be had or holds something else.
  init(path: String?, byteCount: Int, kind: String) throws(FetcherError) {
    self.byteCount = byteCount
    var file: Int32 = -1
    if let path { file = try Self.openFile(path, byteCount: byteCount, kind: kind) }
    descriptor = file
    let flags = path == nil ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED
    let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, descriptor, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      let problem = FetcherError(systemCall: "mmap \(path ?? "memory")")
      if descriptor >= 0 { close(descriptor) }
      throw problem
    }
    unsafe base = mapped
  }

  deinit {
    _ = unsafe munmap(base, byteCount)
    if descriptor >= 0 { close(descriptor) }
  }

  private static func openFile(
    _ path: String, byteCount: Int, kind: String
  ) throws(FetcherError) -> Int32 {
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw FetcherError(systemCall: "open \(path)") }
    var facts = stat()
    guard unsafe fstat(file, &facts) == 0, [0, off_t(byteCount)].contains(facts.st_size) else {
      close(file)
      throw FetcherError(
        operation: "open \(path)",
        detail: "is no \(kind), which has \(byteCount) bytes: name another file")
    }
    // Sized at once, so that no other process sees half a table; and allocated, as a write to a
    // mapped hole of a full disk would end the process.
    var code = ftruncate(file, off_t(byteCount)) == 0 ? 0 : errno
    if code == 0 { code = posix_fallocate(file, 0, off_t(byteCount)) }
    guard code == 0 else {
      close(file)
      throw FetcherError(systemCall: "allocate \(path)", errorNumber: code)
    }
    return file
  }
}
