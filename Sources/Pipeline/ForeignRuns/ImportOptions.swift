/// What an import goes by.
public struct ImportOptions: Sendable, Equatable {
  /// A recipe file, in our names or img2dataset's; it tells what img2dataset has not noted.
  public var recipe: String?
  /// Laid over it, each `key=value`.
  public var settings: [String]
  /// Whether tars are copied where they could be linked.
  public var copies: Bool
  /// Whether a shard without `_stats.json` counts as done, where its tar can be read to its end.
  public var withoutStats: Bool

  public init(
    recipe: String? = nil, settings: [String] = [], copies: Bool = false, withoutStats: Bool = false
  ) {
    self.recipe = recipe
    self.settings = settings
    self.copies = copies
    self.withoutStats = withoutStats
  }
}
