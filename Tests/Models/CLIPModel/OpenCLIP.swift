import TestTools

/// open_clip itself, where the peers' Python has it.
enum OpenCLIP {
  /// What `Tests/Support/Peers/clip_features.py` prints.
  static func run(_ arguments: [String]) async throws -> [UInt8] {
    let script = ProjectFolder.root + "/Tests/Support/Peers/clip_features.py"
    return try await PeerPython.run([script] + arguments).bytes
  }
}
