internal import CBundledFiles
import DurableFiles
import Foundation

/// The recipes, manifests and the demo's scorer that travel inside the program.
enum BundledFiles {
  /// The bytes of a bundled file such as `Pipelines/urls.yaml`.
  static func bytes(_ name: String) -> [UInt8]? {
    for index in 0..<pairloom_bundled_count() {
      let file = unsafe pairloom_bundled_at(index)
      guard unsafe String(cString: file.name) == name else { continue }
      return unsafe Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
    }
    return nil
  }

  /// The names of the bundled files in `folder`, without their extension.
  static func names(in folder: String) -> [String] {
    (0..<pairloom_bundled_count()).compactMap { index in
      let name = unsafe String(cString: pairloom_bundled_at(index).name)
      guard name.hasPrefix(folder + "/"), name.hasSuffix(".yaml") else { return nil }
      return String(name.dropFirst(folder.count + 1).dropLast(5))
    }
  }

  /// The text of a recipe or manifest: a file's if there is one at `path`, else the bundled one of that name.
  static func text(_ path: String, folder: String) throws -> String {
    var isFolder: ObjCBool = false
    if unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
      !isFolder.boolValue
    {
      return String(decoding: try DurableFile.read(path), as: UTF8.self)
    }
    if let bytes = bytes("\(folder)/\(path).yaml") ?? bytes(path) {
      return String(decoding: bytes, as: UTF8.self)
    }
    throw CommandError(
      "\(path): no such file, and no bundled one of that name. Bundled in \(folder): "
        + names(in: folder).joined(separator: ", ") + ".")
  }
}

/// Wrong usage or configuration in words; the program prints it and exits with 2.
struct CommandError: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
