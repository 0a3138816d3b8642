import Foundation

/// A new folder for the inputs that a benchmark makes.
struct TemporaryFolder {
  let path: String

  /// - Parameter parent: By default where temporary files go.
  /// - Throws: Why it cannot be made.
  init(in parent: String? = nil) throws {
    let base = parent ?? FileManager.default.temporaryDirectory.path
    path = "\(base)/pairloom-bench-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// Removes it with all that is in it; a folder that cannot go is named on standard error.
  func remove() {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      FileHandle.standardError.write(Data("pairloom-bench: cannot remove \(path): \(error)\n".utf8))
    }
  }
}
