import Glibc
import WorkerThreads

/// Why a file of words could not be read.
public struct WordFileError: Error, Equatable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    /// A system call failed.
    case system(errno: Int32)
    /// The file does not consist of whole words.
    case notWhole(bytes: Int)
    /// It became shorter while it was read.
    case shrank(words: Int)
    /// More words than can be numbered.
    case tooMany(words: Int)
  }

  public var path: String
  public var reason: Reason

  public init(path: String, reason: Reason) {
    self.path = path
    self.reason = reason
  }

  public var description: String {
    switch reason {
    case .system(let code):
      "\(path): \(unsafe String(cString: strerror(code))). Name a file that can be read."
    case .notWhole(let bytes):
      "\(path): \(bytes) bytes are no whole number of 8-byte words. "
        + "Give a file of little-endian UInt64s and nothing else."
    case .shrank(let words):
      "\(path): word \(words) is gone since the file was opened. Search when nobody writes to it."
    case .tooMany(let words):
      "\(path): \(words) words are more than can be numbered by 32 bits. Split the file."
    }
  }
}

/// A file of little-endian 64-bit words, read straight into the search.
public final class WordFile: Sendable {
  public let path: String
  /// The words.
  public let count: Int
  private let descriptor: Int32

  /// - Throws: ``WordFileError`` where it cannot be opened or its length is none of words.
  public init(path: String) throws(WordFileError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw WordFileError(path: path, reason: .system(errno: errno)) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    let problem: WordFileError.Reason? =
      size < 0
      ? .system(errno: errno)
      : size % 8 != 0
        ? .notWhole(bytes: size)
        : size / 8 >= Int(JoinElement.alone) ? .tooMany(words: size / 8) : nil
    if let problem {
      close(descriptor)
      throw WordFileError(path: path, reason: problem)
    }
    self.path = path
    self.descriptor = descriptor
    count = size / 8
  }

  deinit { close(descriptor) }

  /// The words from `lower` on, as many as `words` has places.
  func read(_ words: inout [UInt64], from lower: Int) throws(WordFileError) {
    let wanted = words.count * 8
    var done = 0
    while done < wanted {
      let got = unsafe words.withUnsafeMutableBytes { bytes in
        // Safe: the rest of the buffer, which outlives the call.
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
        return unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(lower * 8 + done))
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw WordFileError(path: path, reason: .system(errno: errno)) }
      guard got > 0 else {
        throw WordFileError(path: path, reason: .shrank(words: lower + done / 8))
      }
      done += got
    }
  }
}
