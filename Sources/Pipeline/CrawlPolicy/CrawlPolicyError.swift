public import DurableFiles

/// Why a policy or one of its lists cannot be used.
public struct CrawlPolicyError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Problem: Sendable, Equatable {
    /// No product token: what may stand in a User-agent line.
    case agentToken(String)
    /// No host name, suffix or address.
    case host(String)
    /// No hexadecimal MD5 or SHA-256.
    case digest(String)
    /// The list's file cannot be read.
    case file(FileError)
  }

  public var problem: Problem
  /// The list or the file at fault.
  public var list: String
  /// From 1; nil where the list has no lines.
  public var line: Int?

  public init(_ problem: Problem, list: String, line: Int? = nil) {
    self.problem = problem
    self.list = list
    self.line = line
  }

  public var description: String {
    let place = line.map { "\(list), line \($0)" } ?? list
    return switch problem {
    case .agentToken(let text):
      "\(place): \"\(text)\" is no product token. Use letters, digits, - and _, such as pairloom."
    case .host(let text):
      "\(place): \"\(text)\" is no host. Write example.org, .example.org (it and all below it), "
        + "192.0.2.1 or [2001:db8::1], one a line; # begins a comment."
    case .digest(let text):
      "\(place): \"\(text)\" is no digest. Write 64 (SHA-256) or 32 (MD5) hexadecimal digits, "
        + "one digest a line; # begins a comment."
    case .file(let error): "\(place): \(error)"
    }
  }
}
