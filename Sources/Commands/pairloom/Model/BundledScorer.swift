import DurableFiles
import Foundation

/// The scorer of scenes that is inside the program.
enum BundledScorer {
  /// The name under which recipes and commands ask for it.
  static let name = "scenes"

  /// Runs `body` with the folder or file that a model's name means.
  ///
  /// - Parameters:
  ///   - model: As a command is given it.
  ///   - scratch: Where the bundled scorer is unpacked and stays; nil for a folder that goes with `body`.
  ///   - body: Reads the model.
  /// - Returns: What `body` returns.
  /// - Throws: What it throws, and what the disk refuses.
  static func withFolder<R>(
    of model: String, _ scratch: String? = nil, _ body: (String) throws -> R
  ) throws -> R {
    guard model == name else { return try body(model) }
    if let scratch { return try body(try unpack(into: scratch)) }
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("pairloom-scorer.\(UUID().uuidString)").path
    defer {
      // In the folder of temporary files, which the system clears where this cannot.
      try? FileManager.default.removeItem(atPath: folder)
    }
    return try body(try unpack(into: folder))
  }

  static func unpack(into folder: String) throws -> String {
    try DurableFile.makeFolder(folder)
    for file in ["model.safetensors", "model.json", "tokenizer.merges"] {
      guard let bytes = BundledFiles.bytes("scorer/\(file)") else {
        throw CommandError("this build holds no scene scorer; make one with `make scorer`")
      }
      let path = "\(folder)/\(file)"
      if DurableFile.exists(path), try DurableFile.read(path) == bytes { continue }
      try DurableFile.write(bytes, to: path)
    }
    return folder
  }
}
