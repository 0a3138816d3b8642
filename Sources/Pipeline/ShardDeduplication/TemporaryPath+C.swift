import Glibc
import Synchronization

/// Names for folders that go with the process.
package enum TemporaryPath {
  private static let counter = Atomic<Int>(0)

  /// A path in `TMPDIR`, where nothing is.
  package static func new() -> String {
    let number = counter.add(1, ordering: .relaxed).newValue
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    return "\(folder)/pairloom-dedup.\(getpid()).\(number)"
  }
}
