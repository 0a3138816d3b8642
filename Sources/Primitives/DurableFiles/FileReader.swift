import Glibc

/// An open file, for many reads at many places; any number of threads may read at once.
public final class FileReader: Sendable {
  public let path: String
  /// The size when the file was opened.
  public let size: Int
  private let file: FileDescriptor

  public init(_ path: String) throws(FileError) {
    self.path = path
    file = try FileDescriptor(path, flags: O_RDONLY)
    size = try file.size()
  }

  /// Up to `count` bytes from `offset`: fewer where the file ends.
  public func read(count: Int, at offset: Int) throws(FileError) -> [UInt8] {
    try file.read(count: max(0, min(count, size - offset)), at: offset)
  }

  /// Fills the first `count` bytes of `buffer` from `offset`; a smaller buffer is replaced.
  ///
  /// The bytes behind those read are undefined.
  /// - Returns: The bytes read: fewer than `count` only where the file ends.
  public func read(
    into buffer: inout [UInt8], count: Int, at offset: Int
  ) throws(FileError) -> Int {
    if buffer.count < count {
      // Somewhat larger, as the next read may be; untouched pages cost nothing.
      let size = count + count / 2
      buffer = unsafe [UInt8](unsafeUninitializedCapacity: size) { _, filled in filled = size }
    }
    var failure: FileError?
    let filled = unsafe buffer.withUnsafeMutableBytes { buffer in
      let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
      return unsafe file.read(into: room, at: offset, failure: &failure)
    }
    if let failure { throw failure }
    return filled
  }
}
