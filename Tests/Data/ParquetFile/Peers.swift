import Foundation
import TestTools

/// pyarrow, by `Fixtures/peer.py`, and the files that were made with it.
enum Peers {
  static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  /// What `Fixtures/peer.py` prints.
  static func peer(_ arguments: [String]) async throws -> String {
    try await PeerPython.run([fixtures.appendingPathComponent("peer.py").path] + arguments).text
  }
}
