import Glibc

extension DurableFile {
  /// Adds `bytes` at the end of a file, which is made where it is missing, and waits until they are on disk.
  ///
  /// Not atomic: a process killed meanwhile may leave a first part of them.
  public static func append(_ bytes: [UInt8], to path: String) throws(FileError) {
    let isNew = !exists(path)
    let file = try FileDescriptor(path, flags: O_WRONLY | O_CREAT | O_APPEND)
    try file.write(bytes.span)
    try file.synchronize()
    guard isNew else { return }
    let folder = try FileDescriptor(folder(of: path) ?? ".", flags: O_RDONLY | O_DIRECTORY)
    try folder.synchronize()
  }
}
