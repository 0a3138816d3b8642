import ContentHashing
import Glibc
import Synchronization

/// Whether a file is still the one that somebody has seen, by size and time of change: it is not read.
struct FileStamp: Equatable {
  private let size: Int
  private let seconds: Int
  private let nanoseconds: Int
  private let file: UInt64

  /// Nil where there is no file.
  fileprivate init?(_ path: String) {
    var facts = stat()
    guard unsafe stat(path, &facts) == 0 else { return nil }
    size = Int(facts.st_size)
    (seconds, nanoseconds) = (facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec)
    file = UInt64(facts.st_ino)
  }

  var words: String { "\(size) \(seconds).\(nanoseconds) \(file)" }
}

/// Looks at files, and counts how often: what a run costs must grow with its chunks alone.
final class FileLooks: Sendable {
  private let number = Atomic(0)

  var count: Int { number.load(ordering: .relaxed) }

  /// Nil where there is no file.
  func stamp(_ path: String) -> FileStamp? {
    number.add(1, ordering: .relaxed)
    return FileStamp(path)
  }
}

/// Whether several files are still those that somebody has seen.
struct FileStamps {
  private var hash = ContentHash()

  /// Adds a file; one that is missing counts as such.
  mutating func add(_ stamp: FileStamp?) { add(word: stamp?.words ?? "-") }

  mutating func add(word: String) { hash.update(Array("\(word)\n".utf8)) }

  /// Of all that were added so far.
  var digest: String { String(hash.hexDigest().prefix(32)) }
}
