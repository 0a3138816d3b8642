import Foundation
import PipelineCore
import TestTools

/// The programs that read a run's files elsewhere.
enum ForeignPrograms {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/readers.py").path

  /// The findings that `Fixtures/readers.py` prints.
  static func findings(_ arguments: [String]) async throws -> [JSONValue] {
    try await PeerPython.run([script] + arguments).text
      .split(separator: "\n").filter { $0.hasPrefix("{") }.map {
        try JSONValue.parse(Array($0.utf8))
      }
  }
}

extension JSONValue {
  /// The items of an array; nil for anything else.
  var items: [JSONValue]? {
    if case .array(let items) = self { items } else { nil }
  }
}
