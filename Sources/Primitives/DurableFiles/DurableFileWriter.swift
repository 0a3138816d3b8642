import Glibc
import Synchronization

/// Writes one file piece by piece and publishes it whole.
///
/// Nothing is visible under `path` before ``commit()``; a writer that goes without it removes its
/// temporary file. Temporary names hold the process and a counter, so two writers never share one.
public final class DurableFileWriter {
  static let suffix = ".tmp"
  private static let counter = Atomic<Int>(0)

  public let path: String
  /// The bytes written so far.
  public private(set) var byteCount = 0
  private let temporaryPath: String
  private let file: FileDescriptor
  private var isCommitted = false

  public init(_ path: String) throws(FileError) {
    let number = Self.counter.add(1, ordering: .relaxed).newValue
    self.path = path
    temporaryPath = "\(path).\(getpid()).\(number)\(Self.suffix)"
    // Errors name the file that is not there now, rather than one that is gone by then.
    file = try FileDescriptor(temporaryPath, flags: O_WRONLY | O_CREAT | O_TRUNC, name: path)
  }

  deinit {
    // What cannot be removed now, the next run clears.
    if !isCommitted { unsafe unlink(temporaryPath) }
  }

  public func write(_ bytes: [UInt8]) throws(FileError) {
    try file.write(bytes.span)
    byteCount += bytes.count
  }

  /// Makes the file durable and visible under its name.
  public func commit() throws(FileError) {
    precondition(!isCommitted, "\(path) was committed before")
    try file.synchronize()
    guard unsafe rename(temporaryPath, path) == 0 else {
      throw .current("be renamed from \(temporaryPath)", path)
    }
    isCommitted = true
    let folder = try FileDescriptor(
      DurableFile.folder(of: path) ?? ".", flags: O_RDONLY | O_DIRECTORY)
    try folder.synchronize()
  }
}
