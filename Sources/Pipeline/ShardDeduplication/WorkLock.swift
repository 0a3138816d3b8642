import PipelineCore

/// Keeps a work folder for one process, until it goes.
final class WorkLock {
  private let claim: WorkClaim

  /// - Parameters:
  ///   - path: A file in the folder.
  ///   - folder: As errors name it.
  /// - Throws: ``ShardDeduplicationError/inUse(_:)``, `FileError`.
  init(_ path: String, of folder: String) throws {
    guard let claim = try WorkClaim(path) else { throw ShardDeduplicationError.inUse(folder) }
    self.claim = claim
  }
}
