import CaptionMatching
public import PipelineCore

/// What counts as a duplicate, and which of several stays.
public struct DuplicateRules: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Pictures that look the same, and those whose bytes are equal.
    case near
    /// Pictures whose downloaded bytes are equal.
    case exact
    /// No pictures; evaluation sets, placeholders and captions count all the same.
    case off
  }
  public enum Keep: String, Sendable, CaseIterable {
    /// The earliest row of the list.
    case first
    /// The largest picture, or the one with the highest value in a column of the list.
    case best
  }
  public enum Scope: String, Sendable, CaseIterable {
    /// One picture is kept once, whatever its captions.
    case picture
    /// One picture is kept once with each caption (COYO-700M's rule).
    case pair
  }

  public var kind = Kind.exact
  public var scope = Scope.picture
  /// Bits of the pHash in which one picture's copies may differ.
  public var radius = 6
  public var keep = Keep.first
  /// A column of numbers of the list for ``Keep/best``; nil for the picture's pixels.
  public var bestColumn: String?
  /// Index files of earlier runs.
  public var against: [String] = []
  /// Folders, tars, index files and lists of hashes whose pictures are dropped.
  public var evaluationSets: [String] = []
  /// What makes a picture a placeholder, such as "image not found": that it stands under so many distinct
  /// captions, URLs or hosts, whichever is reached; none for never.
  public var placeholders = PlaceholderRule()
  /// How often one caption may be kept; nil for no limit.
  public var captionLimit: Int?
  /// The Jaccard similarity at which captions are near duplicates; nil for never.
  public var captionSimilarity: Double?

  public init() {}

  /// Rules by which nothing but the pictures of a run counts, the first row first.
  public init(kind: Kind) { self.kind = kind }

  /// Whether nothing can be decided before every picture is there.
  public var needsAll: Bool { keep == .best || !placeholders.isEmpty }

  /// Whether a verdict goes by the caption, too.
  package var readsCaptions: Bool { countsCaptions || scope == .pair }
  /// Whether captions are counted.
  var countsCaptions: Bool { captionLimit != nil || captionSimilarity != nil }
  /// Whether pairs of the run are held against one another, or against other runs.
  public var comparesPictures: Bool { kind != .off }
  /// Whether nothing is ever dropped.
  public var isIdle: Bool {
    kind == .off && evaluationSets.isEmpty && placeholders.isEmpty && !countsCaptions
  }

  /// Reads `dedup` and what stands under `duplicates`.
  ///
  /// - Throws: `RecipeError` for values out of range, and for options that go by others which are off.
  public init(from reader: inout RecipeReader) throws(RecipeError) {
    self.init()
    kind = try reader.choice("dedup", default: .near)
    radius = try reader.int("duplicates.radius", default: 6, in: 0...16)
    scope = try reader.choice("duplicates.scope", default: .picture)
    keep = try reader.choice("duplicates.keep", default: .first)
    let best = try reader.string("duplicates.best_by", default: Self.pixels) ?? Self.pixels
    bestColumn = best == Self.pixels ? nil : best
    against = try reader.list("duplicates.against")
    evaluationSets = try reader.list("duplicates.evaluation_sets")
    // One tells nothing: every picture has one.
    placeholders = PlaceholderRule(
      try reader.numbers("duplicates.placeholders", in: 2...1_000_000_000))
    captionLimit = try reader.optionalInt("duplicates.caption_limit", in: 1...1_000_000_000)
    captionSimilarity = try reader.optionalDouble(
      "duplicates.caption_similarity", in: SimilarityBands.similarities)
    try check()
  }

  private static let pixels = "pixels"

  /// Refuses options that would do nothing, or something else than they say.
  public func check() throws(RecipeError) {
    let similarities = SimilarityBands.similarities
    if let captionSimilarity, !similarities.contains(captionSimilarity) {
      throw .badValue(
        key: "duplicates.caption_similarity", value: "\(captionSimilarity)",
        expected: "a number of \(similarities.lowerBound) to \(Int(similarities.upperBound))")
    }
    if bestColumn != nil && keep != .best {
      throw .missing(
        key: "duplicates.keep",
        hint: "duplicates.best_by says which is the best; --set duplicates.keep=best keeps it.")
    }
    if kind == .off && keep == .best {
      throw .badValue(
        key: "duplicates.keep", value: "best",
        expected: "of use with dedup off, which keeps all pictures; set dedup=near")
    }
    if kind == .off && !against.isEmpty {
      throw .badValue(
        key: "duplicates.against", value: against[0],
        expected: "of use with dedup off, which compares no pictures; set dedup=near")
    }
    if scope == .pair && !against.isEmpty {
      throw .badValue(
        key: "duplicates.scope", value: "pair",
        expected: "possible with duplicates.against: an index of pictures holds no captions")
    }
  }
}
