public import DurableFiles
public import PipelineCore

/// Why a list as a whole could not be taken in.
///
/// Single bad rows are rejects, not errors.
public enum ListError: LastingError, SystemRefusal, Sendable, Equatable, CustomStringConvertible {
  case unreadable(path: String, problem: String)
  /// The system refused to open or read a file of the list.
  case refused(FileError)
  case unknownFormat(path: String)
  case noColumn(path: String, wanted: [String], found: [String])
  /// No file, folder or match of a glob.
  case notFound(input: String)
  /// The content ends early or is damaged, `offset` bytes into the file.
  case damaged(path: String, offset: Int, problem: String)

  /// A list that cannot be read now, for want of memory for instance, may be later.
  public var refusal: FileError? {
    if case .refused(let error) = self { error } else { nil }
  }

  public var description: String {
    switch self {
    case .unreadable(let path, let problem):
      "\(path): the list cannot be read: \(problem)" + (problem.hasSuffix(".") ? "" : ".")
    case .refused(let error): "\(error)"
    case .unknownFormat(let path):
      "\(path): the name tells no format. Known are "
        + ListFormat.allCases.map { ".\($0.rawValue)" }.joined(separator: ", ")
        + ", each but .parquet also with .gz or .zst; or name it with --set format=csv."
    case .noColumn(let path, let wanted, let found):
      "\(path): no column \(wanted.joined(separator: " or ")); it has \(found.joined(separator: ", "))."
        + " Name it with --set url_column=NAME, caption_column=NAME,"
        + " hash_column=NAME or bbox_column=NAME."
    case .notFound(let input):
      "\(input): no such file, folder or match. Check the path given as input."
    case .damaged(let path, let offset, let problem):
      "\(path): the list is damaged or cut at byte \(offset): \(problem). Copy or make it again."
    }
  }
}
