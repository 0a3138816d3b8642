import Foundation

/// A file that a fuzz target writes again for each input, for readers that take a path.
public struct FuzzFile {
  public let path: String

  /// Memory rather than a disk, where there is such a folder.
  public init(_ ending: String) {
    let folder =
      FileManager.default.fileExists(atPath: "/dev/shm")
      ? "/dev/shm" : FileManager.default.temporaryDirectory.path
    path = "\(folder)/pairloom-fuzz-\(ProcessInfo.processInfo.processIdentifier)\(ending)"
  }

  public func write(_ bytes: some Collection<UInt8>) {
    guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
      fatalError("\(path): cannot be written")
    }
  }

  /// Fine when it is not there.
  public func remove() { unlink(path) }
}
