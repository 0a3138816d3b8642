import DurableFiles
import Glibc
import Synchronization

/// Numbers, or bytes, set aside on disk in a file without a name: it is gone with its process, however that ends.
final class SpillFile {
  private static let counter = Atomic<Int>(0)
  /// Words kept in memory before they are written.
  private static let bufferSize = 3 << 10

  /// What errors name: the file itself has no name.
  private let folder: String
  private let descriptor: Int32
  private var buffer: [UInt64] = []
  /// The words appended so far.
  private(set) var count = 0

  /// - Parameter folder: Where the disk's room is taken.
  /// - Throws: ``FileError``.
  init(in folder: String) throws(FileError) {
    let number = Self.counter.add(1, ordering: .relaxed).newValue
    // A name that the next run clears, should this process die before the unlink.
    let path = "\(folder)/spill.\(getpid()).\(number).tmp"
    self.folder = folder
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("make a temporary file", folder) }
    // One that keeps its name is cleared by the next run.
    unsafe unlink(path)
  }

  deinit { close(descriptor) }

  func append(_ word: UInt64) throws(FileError) {
    buffer.append(word)
    count += 1
    if buffer.count == Self.bufferSize { try flush() }
  }

  private func flush() throws(FileError) {
    guard unsafe buffer.withUnsafeBytes({ unsafe writeAll($0, to: descriptor) }) else {
      throw failure("write a temporary file", folder)
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Appends bytes; not to a file of numbers.
  func append(bytes: [UInt8]) throws(FileError) {
    guard unsafe bytes.withUnsafeBytes({ unsafe writeAll($0, to: descriptor) }) else {
      throw failure("write a temporary file", folder)
    }
  }

  /// Calls `body` with the words from the first on, `groupSize` or a multiple at a time.
  func forEach(
    groupSize: Int, _ body: ([UInt64]) throws(FileError) -> Void
  ) throws(FileError) {
    try flush()
    let piece = groupSize * 4_096
    var offset = 0
    while offset < count {
      let words = try read(min(piece, count - offset), at: offset)
      try body(words)
      offset += words.count
    }
  }

  /// The `count` words from `offset`.
  private func read(_ count: Int, at offset: Int) throws(FileError) -> [UInt64] {
    var isRead = true
    let words = unsafe [UInt64](unsafeUninitializedCapacity: count) { words, filled in
      isRead = unsafe fill(UnsafeMutableRawBufferPointer(words), from: offset * 8)
      filled = isRead ? count : 0
    }
    guard isRead else { throw failure("read a temporary file", folder) }
    return words
  }

  /// The `count` bytes from `offset`, of a file of bytes.
  func read(bytes count: Int, at offset: Int) throws(FileError) -> [UInt8] {
    var isRead = true
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
      isRead = unsafe fill(UnsafeMutableRawBufferPointer(bytes), from: offset)
      filled = isRead ? count : 0
    }
    guard isRead else { throw failure("read a temporary file", folder) }
    return bytes
  }

  /// Fills `bytes` from `offset`; false where the system refuses.
  private func fill(_ bytes: UnsafeMutableRawBufferPointer, from offset: Int) -> Bool {
    var done = 0
    while done < bytes.count {
      // Safe: `done` is less than the count.
      let got = unsafe pread(
        descriptor, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done,
        off_t(offset + done))
      if got < 0 && errno == EINTR { continue }
      // What was written is not there.
      if got == 0 { errno = EIO }
      guard got > 0 else { return false }
      done += got
    }
    return true
  }
}

private func failure(_ operation: String, _ path: String) -> FileError {
  FileError(operation: operation, path: path, errorNumber: errno)
}

/// Writes all of `bytes`, continuing after a short write; false where the system refuses.
private func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
  var done = 0
  while done < bytes.count {
    // Safe: `done` is less than the count.
    let got = unsafe write(
      descriptor, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done)
    if got < 0 && errno == EINTR { continue }
    if got == 0 { errno = EIO }
    guard got > 0 else { return false }
    done += got
  }
  return true
}

/// A file that appears under its name whole, but is durable only after ``settle(_:)``.
///
/// For many files of which none counts before the last: one wait for the disk instead of thousands.
final class SettledLaterFile {
  private static let counter = Atomic<Int>(0)
  private static let bufferSize = 256 << 10

  private let path: String
  private let temporaryPath: String
  private var descriptor: Int32
  /// What is to be written next; append to it, then call ``flushIfFull()``.
  var buffer: [UInt8] = []

  init(_ path: String) throws(FileError) {
    let number = Self.counter.add(1, ordering: .relaxed).newValue
    self.path = path
    // The form of DurableFileWriter's names, so that the next run clears them.
    temporaryPath = "\(path).\(getpid()).i\(number).tmp"
    descriptor = unsafe open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure("open", path) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unsafe unlink(temporaryPath)
  }

  func flushIfFull() throws(FileError) {
    if buffer.count >= Self.bufferSize { try flush() }
  }

  private func flush() throws(FileError) {
    guard unsafe buffer.withUnsafeBytes({ unsafe writeAll($0, to: descriptor) }) else {
      throw failure("write", path)
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Gives the file its name.
  func publish() throws(FileError) {
    try flush()
    // A disk may tell of a lost write only now: nothing else waits for this file alone.
    let isClosed = close(descriptor) == 0
    descriptor = -1
    guard isClosed, unsafe rename(temporaryPath, path) == 0 else {
      let failure = failure(isClosed ? "be renamed from \(temporaryPath)" : "be closed", path)
      unsafe unlink(temporaryPath)
      throw failure
    }
  }

  /// Waits until all files of the file system that holds `folder` are durable.
  static func settle(_ folder: String) throws(FileError) {
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw failure("open", folder)
    }
    defer { close(descriptor) }
    // Swift's Glibc leaves out what glibc offers under _GNU_SOURCE; looked up by name instead.
    typealias SyncFS = @convention(c) (Int32) -> Int32
    guard let address = unsafe dlsym(nil, "syncfs") else {
      sync()
      return
    }
    // Safe: int syncfs(int) is glibc's signature since 2.14.
    guard unsafe unsafeBitCast(address, to: SyncFS.self)(descriptor) == 0 else {
      throw failure("be made durable (syncfs)", folder)
    }
  }
}
