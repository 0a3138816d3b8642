package import DurableFiles

/// Why the bytes of a file, or of an archive, cannot be had.
package struct ZipError: Error, Sendable, Equatable {
  package enum Reason: Sendable, Equatable {
    case unreadable(FileError)
    /// The file has `actual` bytes where `expected` are wanted.
    case truncated(expected: Int, actual: Int)
    /// What is wrong with the archive.
    case archive(String)
  }

  package var reason: Reason
  package var file: String

  package init(_ reason: Reason, file: String) {
    self.reason = reason
    self.file = file
  }
}
