import Foundation

/// A file that a fuzz target writes again for each input, for readers that take a path.
public struct FuzzFile: Sendable {
  public let path: String

  /// In TMPDIR, which `Tests/Fuzz/run.sh` puts into memory.
  public init(_ ending: String) {
    path = FileManager.default.temporaryDirectory.path + "/fuzz" + ending
  }

  public func write(_ bytes: some Collection<UInt8>) {
    guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
      fatalError("\(path): cannot be written")
    }
  }

  /// What a writer left there.
  public var bytes: [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
      fatalError("\(path): cannot be read")
    }
    return [UInt8](data)
  }

  /// Fine when it is not there.
  public func remove() { unlink(path) }
}
