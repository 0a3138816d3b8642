import Foundation

/// Where the project lies, and what may lie beside it.
public enum ProjectFolder {
  public static let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in
    url.deletingLastPathComponent()
  }.path

  /// The pictures and captions beside the project, `../shared/data`; nil on a user's machine.
  public static let sharedData: String? = {
    let path = URL(fileURLWithPath: root + "/../shared/data").standardized.path
    return FileManager.default.fileExists(atPath: path + "/corpus/captions.jsonl") ? path : nil
  }()
}
