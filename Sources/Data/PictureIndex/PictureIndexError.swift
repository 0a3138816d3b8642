/// Why an index of pictures cannot be used.
public struct PictureIndexError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    /// Its segments are laid out in a way that this program does not know.
    case newerVersion
    /// Its pictures' signatures are of another kind than this program makes.
    case otherSignatures
    /// Bytes are not those that were written; in words, what they were to hold.
    case damaged(String)
  }

  public var reason: Reason
  public var path: String

  public init(_ reason: Reason, path: String) {
    self.reason = reason
    self.path = path
  }

  public var description: String {
    switch reason {
    case .newerVersion:
      "\(path): its segments are of a version that this program does not know. Use a newer program,"
        + " or remove the index and make it anew."
    case .otherSignatures:
      "\(path): its pictures were described by another version of this program. Remove it and make"
        + " it anew from the pictures."
    case .damaged(let part):
      "\(path): the \(part) are damaged. Restore it from a copy, or remove it and make it anew."
    }
  }
}
