import FoundationEssentials

/// A JSON list of texts.
enum JSONTextList {
  /// Nil for what is none.
  static func read(_ bytes: [UInt8]) -> [String]? {
    do { return try JSONDecoder().decode([String].self, from: Data(bytes)) } catch { return nil }
  }
}
