public import DurableFiles

/// Why a Parquet file could not be read or written: where, what, and what to do next.
public struct ParquetError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kinds of trouble, each with the particulars in words.
  public enum Problem: Error, Sendable, Equatable {
    /// The system refused an operation on the file, for the reason that it gave.
    case file(FileError)
    /// The bytes are no Parquet file, or only a part of one.
    case notParquet(String)
    /// The bytes contradict themselves or end early.
    case damaged(String)
    /// A feature, a codec for instance, that this reader lacks; the words name it.
    case unsupported(String)
    /// Modular encryption, for which there are no keys.
    case encrypted(String)
    /// No such column, or one of that name twice.
    case noSuchColumn(String)
    /// A bound on memory was reached.
    case tooLarge(String)
    /// A value to be written does not fit its column.
    case wrongValue(String)
  }

  public var path: String
  /// The column and the row group, where they are known.
  public var place: String?
  public var problem: Problem

  public init(path: String, place: String? = nil, _ problem: Problem) {
    self.path = path
    self.place = place
    self.problem = problem
  }

  public var description: String {
    let (words, advice) = problem.words
    return "\(path): \(place.map { "\($0): " } ?? "")\(words). \(advice)"
  }
}

extension ParquetError.Problem {
  fileprivate var words: (String, String) {
    switch self {
    case .file(let error):
      (error.wordsWithoutPath, "Mend that, then run the same command again.")
    case .notParquet(let words):
      ("not a Parquet file: \(words)", "Check that it was written and copied to its end.")
    case .damaged(let words):
      ("damaged: \(words)", "Fetch or write the file anew.")
    case .unsupported(let words):
      (words, "Write the file anew without it, with pyarrow for instance, or leave out the column.")
    case .encrypted(let words):
      (words, "Decrypt it first, or leave out the column.")
    case .noSuchColumn(let words): (words, "Name a column that is there once.")
    case .tooLarge(let words): (words, "Ask for fewer rows per batch.")
    case .wrongValue(let words): (words, "Mend the value, or the column's type.")
    }
  }
}

extension FileError {
  /// What the system refused, without the path, which may be a temporary one, and the last period.
  fileprivate var wordsWithoutPath: String {
    var words = "\(self)"
    let place = "\(path): "
    if words.hasPrefix(place) { words.removeFirst(place.count) }
    while words.hasSuffix(".") || words.hasSuffix(" ") { words.removeLast() }
    return words
  }
}
