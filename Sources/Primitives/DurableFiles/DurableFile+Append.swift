import Glibc

extension DurableFile {
  /// Adds `bytes` at the end of a file, which is made where it is missing, and waits until they are on disk.
  ///
  /// Not atomic: a process killed meanwhile may leave a first part of them. What the disk refuses leaves none.
  ///
  /// - Parameters:
  ///   - bytes: None at all waits for what was added before.
  ///   - path: The file, which nobody else adds to at the same time.
  ///   - waits: False hands them to the system only, where a power cut may lose them.
  /// - Throws: `FileError`.
  public static func append(
    _ bytes: [UInt8], to path: String, waits: Bool = true
  ) throws(FileError) {
    let isNew = !exists(path)
    let file = try FileDescriptor(path, flags: O_WRONLY | O_CREAT | O_APPEND)
    let size = try file.size()
    do { try file.write(bytes.span) } catch {
      // A torn line or record would spoil what is added behind it; the first error is the one to tell.
      _ = ftruncate(file.number, off_t(size))
      throw error
    }
    guard waits else { return }
    try file.synchronize()
    guard isNew else { return }
    let folder = try FileDescriptor(folder(of: path) ?? ".", flags: O_RDONLY | O_DIRECTORY)
    try folder.synchronize()
  }
}
