import Foundation

/// A folder that goes when the test ends.
public final class ScratchFolder {
  public let path: String

  public init() throws {
    path = FileManager.default.temporaryDirectory.path + "/pairloom-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  // What stays is in a temporary folder.
  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a name in it.
  public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Runs `body` with the path of a folder that goes when it returns.
  public static func use<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = try ScratchFolder()
    defer { withExtendedLifetime(folder) {} }
    return try await body(folder.path)
  }
}
