import ContentHashing
import Glibc

/// Whether a file is still the one that somebody has seen, by size and time of change: it is not read.
struct FileStamp: Equatable {
  private let size: Int
  private let seconds: Int
  private let nanoseconds: Int
  private let file: UInt64

  /// Nil where there is no file.
  init?(_ path: String) {
    var facts = stat()
    guard unsafe stat(path, &facts) == 0 else { return nil }
    size = Int(facts.st_size)
    (seconds, nanoseconds) = (facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec)
    file = UInt64(facts.st_ino)
  }

  var words: String { "\(size) \(seconds).\(nanoseconds) \(file)" }
}

/// Whether several files are still those that somebody has seen.
struct FileStamps {
  private var hash = ContentHash()

  /// Adds a file; one that is missing counts as such.
  mutating func add(_ path: String) { add(word: FileStamp(path)?.words ?? "-") }

  mutating func add(word: String) { hash.update(Array("\(word)\n".utf8)) }

  /// Of all that were added so far.
  var digest: String { String(hash.hexDigest().prefix(32)) }
}
