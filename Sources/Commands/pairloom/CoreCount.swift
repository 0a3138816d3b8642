import ArgumentParser

/// What `--threads` may say.
enum CoreCount {
  /// More than any machine has, and few enough to start.
  static let most = 1_024

  static func require(_ threads: Int?) throws {
    guard let threads, !(1...most).contains(threads) else { return }
    throw ValidationError("--threads must be 1 to \(most).")
  }
}
