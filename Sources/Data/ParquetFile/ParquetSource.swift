import DurableFiles
import Glibc

/// The bytes of a file, read by offset, so that several cursors share it.
final class ParquetSource: Sendable {
  private enum Content: Sendable {
    case file(Int32)
    case memory([UInt8])
  }

  private let content: Content
  let path: String
  let size: Int

  init(path: String) throws(ParquetError) {
    self.path = path
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw Self.failure("open it", path) }
    var information = stat()
    guard unsafe fstat(number, &information) == 0 else {
      let error = Self.failure("stat it", path)
      close(number)
      throw error
    }
    content = .file(number)
    size = Int(information.st_size)
  }

  init(bytes: [UInt8], name: String) {
    path = name
    content = .memory(bytes)
    size = bytes.count
  }

  deinit {
    if case .file(let number) = content { close(number) }
  }

  private static func failure(_ operation: String, _ path: String) -> ParquetError {
    let cause = FileError(operation: operation, path: path, errorNumber: errno)
    return ParquetError(path: path, .file(cause))
  }

  /// Exactly `count` bytes from `offset`, both checked against the file's size before memory is
  /// taken.
  func read(_ count: Int, at offset: Int) throws(ParquetError.Problem) -> [UInt8] {
    guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
      throw .damaged("\(count) bytes at \(offset) are asked for, of \(size)")
    }
    switch content {
    case .memory(let bytes): return Array(bytes[offset..<offset + count])
    case .file(let number):
      var code: Int32 = 0
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { target, filled in
        while filled < count {
          let rest = unsafe UnsafeMutableBufferPointer(rebasing: target[filled..<count])
          let got = unsafe pread(number, rest.baseAddress, rest.count, off_t(offset + filled))
          if got < 0 && errno == EINTR { continue }
          if got <= 0 {
            code = got < 0 ? errno : 0
            return
          }
          filled += got
        }
      }
      guard bytes.count == count else {
        let place = "\(count) bytes at \(offset)"
        guard code != 0 else { throw .damaged("it has become shorter than \(place)") }
        throw .file(FileError(operation: "read \(place)", path: path, errorNumber: code))
      }
      return bytes
    }
  }
}
