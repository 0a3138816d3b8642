import Glibc

/// Where a path leads to.
package enum RealPath {
  /// The absolute path without links and dots; nil where there is nothing.
  package static func of(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// The first of some files that lies in a folder, by whatever name; nil where none does.
  package static func first(of files: [String], in folder: String) -> String? {
    guard let real = of(folder) else { return nil }
    return files.first { of($0)?.hasPrefix(real + "/") == true }
  }

  /// Whether a folder is there, a link to one not counted.
  package static func isFolder(_ path: String) -> Bool {
    var information = stat()
    return unsafe lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
  }
}
