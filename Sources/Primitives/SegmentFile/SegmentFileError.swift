/// Why a file of segments cannot be used: what, where in it, and what to do.
public struct SegmentFileError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    /// It begins with other bytes than a file of this kind.
    case otherKind
    /// It was written by a newer program.
    case newerVersion(Int)
    /// It has no byte, or its first writer has not come to its first commit.
    case empty
    /// It is shorter than what was once committed to it.
    case truncated(expected: Int, actual: Int)
    /// Bytes are not those that were written; in words, what they were to hold.
    case damaged(String)
    /// Another process, or another handle of this one, writes to it.
    case inUse
    /// A commit failed half way, and only the disk knows whether it is there.
    case unsettled
  }

  public var reason: Reason
  public var path: String
  /// Bytes from the file's beginning.
  public var offset: Int

  public init(_ reason: Reason, path: String, offset: Int) {
    self.reason = reason
    self.path = path
    self.offset = offset
  }

  public var description: String {
    let anew = "Restore it from a copy, or remove it and make it anew."
    let (what, advice) =
      switch reason {
      case .otherKind: ("is a file of another kind", "Name another file.")
      case .newerVersion(let version):
        ("is of version \(version), newer than this program", "Use a newer program.")
      case .empty: ("holds nothing yet", "Write to it first, or name another file.")
      case .truncated(let expected, let actual):
        ("has \(actual) of \(expected) bytes", anew)
      case .damaged(let part): ("the \(part) is damaged", anew)
      case .inUse:
        ("another process writes to it", "Wait for its end or stop it (Ctrl-C), then try again.")
      case .unsettled:
        ("a commit failed before", "Mend what the first error said, then open the file again.")
      }
    return "\(path)@\(offset): \(what). \(advice)"
  }
}
