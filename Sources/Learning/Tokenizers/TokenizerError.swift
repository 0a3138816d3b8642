/// Why a table of merges cannot be used: the line, and what is wrong with it.
public struct TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    /// The first line must hold `#version`, as in OpenAI's file.
    case noHeader
    /// A line holds something else than two symbols with one space between them.
    case malformed
    /// A line joins a symbol that neither a byte nor an earlier line makes.
    case unknownSymbol(String)
    /// A line makes a symbol that is there already.
    case repeated(String)
  }

  public var reason: Reason
  /// Counted from 1, the header included.
  public var line: Int

  public init(_ reason: Reason, line: Int) {
    self.reason = reason
    self.line = line
  }

  public var description: String {
    let what =
      switch reason {
      case .noHeader: "the header with #version is missing"
      case .malformed: "two symbols with one space between them are wanted"
      case .unknownSymbol(let symbol): "no earlier line makes the symbol \(symbol)"
      case .repeated(let symbol): "the symbol \(symbol) was made before"
      }
    return "merges, line \(line): \(what). Give a table in the format of bpe_simple_vocab_16e6.txt."
  }
}
