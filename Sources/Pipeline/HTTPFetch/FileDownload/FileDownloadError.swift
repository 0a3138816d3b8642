/// Why a file was not fetched.
public struct FileDownloadError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Problem: Sendable, Equatable {
    case badURL
    /// An answer other than the file.
    case status(Int)
    /// The connection failed or was cut, and so did the tries after it.
    case connection(String)
    case tooManyRedirects
    /// From https to http: whoever is on the way could give other bytes.
    case insecureRedirect(String)
    case tooLarge(bytes: Int, limit: Int)
    case noSpace(needed: Int, free: Int)
    case wrongHash(expected: String, actual: String)
    /// Of the names that git gives bytes.
    case wrongBlob(expected: String, actual: String)
    /// Another download writes the part of this file.
    case inUse(String)
    case wrongSize(expected: Int, actual: Int)
    /// The hub's answer about a repository cannot be understood.
    case badAnswer(String)
  }

  public var url: String
  public var problem: Problem

  public init(_ problem: Problem, url: String) {
    self.problem = problem
    self.url = url
  }

  /// Whether another try may do better.
  var isPassing: Bool {
    switch problem {
    case .connection: true
    case .status(let status): status == 408 || status == 429 || status >= 500
    default: false
    }
  }

  public var description: String {
    switch problem {
    case .badURL: "\(url): this is no http or https URL."
    case .status(401), .status(403):
      "\(url): the server wants to know who asks. Set HF_TOKEN for a repository of a hub whose terms"
        + " you have agreed to there."
    case .status(404): "\(url): there is no such file. Check the name, and the revision."
    case .status(let status): "\(url): the server answers with \(status). Try again later."
    case .connection(let words):
      "\(url): \(words). What has come is kept: run the same command again to go on."
    case .tooManyRedirects: "\(url): it leads on and on. Name the file's own URL."
    case .insecureRedirect(let target):
      "\(url): it leads from https to \(target), which is not secure. Name another URL."
    case .tooLarge(let bytes, let limit):
      "\(url): it has \(bytes) bytes or more, and the limit is \(limit). Raise it with --max-bytes."
    case .noSpace(let needed, let free):
      "\(url): it takes \(needed) bytes, and \(free) are free where it would go. Free some space, or"
        + " name another --out."
    case .wrongHash(let expected, let actual):
      "\(url): its SHA-256 is \(actual), and \(expected) was expected. Nothing is kept of it: check the"
        + " hash, and where the file comes from."
    case .wrongSize(let expected, let actual):
      "\(url): it has \(actual) bytes, and \(expected) were announced. Run the same command again."
    case .wrongBlob(let expected, let actual):
      "\(url): git calls these bytes \(actual), and the repository has \(expected). Nothing is kept of"
        + " them: run the same command again."
    case .inUse(let path):
      "\(url): another download is writing \(path).part. Wait for its end, then run the same command"
        + " again, or name another --out."
    case .badAnswer(let words): "\(url): \(words). Is this the address of a hub?"
    }
  }
}
