import Glibc

/// Where a path leads to.
enum RealPath {
  /// The absolute path without links and dots; nil where there is nothing.
  static func of(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }
}
