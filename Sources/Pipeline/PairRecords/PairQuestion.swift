/// What a person names a pair by.
public enum PairQuestion: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable { case row, uid, key, url }

  /// Of the list, from 0.
  case row(Int)
  case uid(String)
  /// In the shards, of either scheme.
  case key(String)
  case url(String)

  /// A text taken for what it looks like.
  ///
  /// Digits are a row, but in a run with img2dataset's keys a text of as many digits as those have
  /// may be a key; 32 hexadecimal digits are a uid, which with numbers behind is a key; what has a
  /// colon and slashes is a URL; anything else is a key.
  ///
  /// - Parameters:
  ///   - text: As it was given.
  ///   - keyDigits: The digits of img2dataset's keys where the run has them; nil for another scheme.
  public init(_ text: String, keyDigits: Int? = nil) {
    let isDigits = !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    if isDigits, let keyDigits, text.utf8.count >= keyDigits {
      self = .key(text)
    } else if isDigits, let row = Int(text) {
      self = .row(row)
    } else if text.contains("://") {
      self = .url(text)
    } else if text.utf8.count == 32, text.allSatisfy({ $0.isASCII && $0.isHexDigit }) {
      self = .uid(text.lowercased())
    } else {
      self = .key(text)
    }
  }

  /// A text taken for what the asker says it is; nil for a row that is no number.
  public init?(_ text: String, as kind: Kind) {
    switch kind {
    case .row:
      guard let row = Int(text), row >= 0 else { return nil }
      self = .row(row)
    case .uid: self = .uid(text.lowercased())
    case .key: self = .key(text)
    case .url: self = .url(text)
    }
  }
}

/// Rows that were asked for, or what is told instead.
public enum PairAnswer: Sendable, Equatable {
  /// All rows that fit, ascending; never none.
  case rows([Int])
  /// A row of the list that could not be used.
  case rejected(row: Int, file: String, line: Int, reason: String)
  /// Nothing, and the nearest help.
  case nothing(String)
}
