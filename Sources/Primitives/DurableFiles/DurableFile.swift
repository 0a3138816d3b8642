import Glibc

/// Files that are either wholly there under their name, or not at all.
///
/// A file is written under a temporary name in its own folder, fsynced, renamed, and its folder is
/// fsynced. A process killed at any moment leaves the old file, the new one, or a `.tmp` file that
/// ``removeTemporaries(in:)`` clears; a power cut after return loses nothing.
public enum DurableFile {
  /// Publishes `bytes` under `path`, in place of what was there.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    let writer = try DurableFileWriter(path)
    try writer.write(bytes)
    try writer.commit()
  }

  /// Publishes `text` as UTF-8 under `path`.
  public static func write(_ text: String, to path: String) throws(FileError) {
    try write(Array(text.utf8), to: path)
  }

  /// The whole file.
  public static func read(_ path: String) throws(FileError) -> [UInt8] {
    let file = try FileDescriptor(path, flags: O_RDONLY)
    return try file.read(count: try file.size(), at: 0)
  }

  /// Up to `count` bytes from `offset`: fewer where the file ends.
  public static func read(_ path: String, count: Int, at offset: Int) throws(FileError) -> [UInt8] {
    let file = try FileDescriptor(path, flags: O_RDONLY)
    return try file.read(count: max(0, min(count, try file.size() - offset)), at: offset)
  }

  /// Whether a folder is there.
  public static func isFolder(_ path: String) -> Bool {
    var information = stat()
    return unsafe stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
  }

  public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  public static func size(of path: String) throws(FileError) -> Int {
    try FileDescriptor(path, flags: O_RDONLY).size()
  }

  /// Makes `path` and the folders above it; fine when they are there.
  public static func makeFolder(_ path: String) throws(FileError) {
    if unsafe mkdir(path, 0o755) == 0 { return }
    if errno == EEXIST { return }
    guard errno == ENOENT, let parent = folder(of: path), parent != path else {
      throw .current("make folder", path)
    }
    try makeFolder(parent)
    guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
      throw .current("make folder", path)
    }
  }

  /// Gives a file or folder, whose files are durable, another name beside it.
  ///
  /// A folder takes the place of an empty one only.
  public static func move(_ path: String, to new: String) throws(FileError) {
    guard unsafe rename(path, new) == 0 else { throw .current("be renamed from \(path)", new) }
    let parent = try FileDescriptor(folder(of: new) ?? ".", flags: O_RDONLY | O_DIRECTORY)
    try parent.synchronize()
  }

  /// Removes an empty folder; fine when it is not there.
  public static func removeFolder(_ path: String) throws(FileError) {
    guard unsafe rmdir(path) == 0 || errno == ENOENT else { throw .current("remove", path) }
  }

  /// Removes the file; fine when it is not there.
  public static func remove(_ path: String) throws(FileError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw .current("remove", path) }
  }

  /// The names in a folder, sorted by bytes; none when the folder is not there.
  public static func names(in folder: String) throws(FileError) -> [String] {
    guard let handle = unsafe opendir(folder) else {
      if errno == ENOENT { return [] }
      throw .current("list", folder)
    }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(handle) else {
        // Half a listing would pass for the whole.
        guard errno == 0 else { throw .current("list", folder) }
        break
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Clears what killed writers of this folder left.
  ///
  /// Call it only while nobody writes there.
  public static func removeTemporaries(in folder: String) throws(FileError) {
    for name in try names(in: folder) where name.hasSuffix(DurableFileWriter.suffix) {
      try remove(folder + "/" + name)
    }
  }

  static func folder(of path: String) -> String? {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
