import ArgumentParser
import Deduplication
import WorkerThreads

/// What counts as a duplicate, as options of a command.
struct DedupRuleOptions: ParsableArguments {
  @Option(
    help: "near (pictures that look the same) or exact (equal bytes). (default: near)",
    transform: Self.word)
  var match: DuplicateRules.Kind = .near

  @Option(help: "Bits of the 64-bit pHash in which copies may differ, 0 to 16.")
  var radius = 6

  @Option(
    help: "picture, or pair: only where the captions are the same, too. (default: picture)",
    transform: Self.word)
  var scope: DuplicateRules.Scope = .picture

  @Option(
    help: "first: the earlier pair stays; or best: by --best-by, all in memory. (default: first)",
    transform: Self.word)
  var keep: DuplicateRules.Keep = .first

  @Option(help: "A number of the JSON that --keep best goes by. (default: the original's pixels)")
  var bestBy: String?

  @Option(
    help: "An index of what is there already; what it holds is dropped. Repeat it for several.")
  var against: [String] = []

  @Option(
    help:
      "A folder of pictures, shards, an index or a list of hashes of a test set; what is near to it is dropped."
  )
  var evaluationSet: [String] = []

  @Option(help: "A picture under so many distinct captions is a placeholder, and none is kept.")
  var placeholders: Int?

  @Option(
    // By itself it would be --placeholder-ur-ls.
    name: .customLong("placeholder-urls"),
    help: "The same by distinct URLs of the JSON; whichever is reached.")
  var placeholderURLs: Int?

  @Option(help: "The same by distinct hosts of these URLs.")
  var placeholderHosts: Int?

  @Option(help: "The most often that one caption may be kept.")
  var captionLimit: Int?

  @Option(help: "Captions at least so similar (Jaccard) are duplicates, 0.3 to 1.")
  var captionSimilarity: Double?

  @Option(help: "Cores to use. (default: all)")
  var threads: Int?

  /// One of the words of a type.
  static func word<Choice: RawRepresentable & CaseIterable>(_ text: String) throws -> Choice
  where Choice.RawValue == String {
    guard let known = Choice(rawValue: text) else {
      let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("it is one of: \(words).")
    }
    return known
  }

  func validate() throws {
    guard (0...16).contains(radius) else { throw ValidationError("--radius must be 0 to 16.") }
    try CoreCount.require(threads)
    for (name, count) in [
      ("placeholders", placeholders), ("placeholder-urls", placeholderURLs),
      ("placeholder-hosts", placeholderHosts),
    ] {
      guard count ?? 2 > 1 else { throw ValidationError("--\(name) must be 2 or more.") }
    }
    guard captionLimit ?? 1 > 0 else { throw ValidationError("--caption-limit must be 1 or more.") }
    guard (0.3...1).contains(captionSimilarity ?? 1) else {
      throw ValidationError("--caption-similarity must be 0.3 to 1.")
    }
    guard scope == .picture || against.isEmpty else {
      throw ValidationError("--against needs --scope picture: an index holds no captions.")
    }
    guard bestBy == nil || keep == .best else {
      throw ValidationError("--best-by needs --keep best.")
    }
    guard match != .off else { throw ValidationError("--match is near or exact.") }
  }

  var rules: DuplicateRules {
    var rules = DuplicateRules()
    rules.kind = match
    rules.radius = radius
    rules.scope = scope
    rules.keep = keep
    rules.bestColumn = bestBy
    rules.against = against
    rules.evaluationSets = evaluationSet
    rules.placeholders = PlaceholderRule(
      captions: placeholders, urls: placeholderURLs, hosts: placeholderHosts)
    rules.captionLimit = captionLimit
    rules.captionSimilarity = captionSimilarity
    return rules
  }

  var cores: Int { threads ?? Parallel.coreCount }
}
