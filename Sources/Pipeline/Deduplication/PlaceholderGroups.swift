import CaptionMatching
import PictureIndex
public import PipelineCore

/// What a placeholder is told by; in the order of the words.
public enum PlaceholderSign: String, Sendable, CaseIterable {
  /// Texts, case and spaces aside; empty ones do not count.
  case captions
  /// Of the list, normalised: not those that they lead to.
  case urls
  case hosts

  func words(_ count: Int) -> String { "\(count) \(self == .urls ? "URLs" : rawValue)" }
}

/// The least numbers that make a picture a placeholder; nil for a sign that does not count.
public struct PlaceholderRule: Sendable, Equatable {
  public var captions: Int?
  public var urls: Int?
  public var hosts: Int?

  public init(captions: Int? = nil, urls: Int? = nil, hosts: Int? = nil) {
    (self.captions, self.urls, self.hosts) = (captions, urls, hosts)
  }

  init(_ numbers: [PlaceholderSign: Int]) {
    self.init(
      captions: numbers[.captions], urls: numbers[.urls], hosts: numbers[.hosts])
  }

  public subscript(sign: PlaceholderSign) -> Int? {
    switch sign {
    case .captions: captions
    case .urls: urls
    case .hosts: hosts
    }
  }

  /// Whether nothing is a placeholder.
  public var isEmpty: Bool { self == PlaceholderRule() }
}

/// Pictures that look the same, with what they stand under.
///
/// Memory: some 100 bytes for each pair and some 150 for each group, and 40 for each further caption, URL and
/// host of a group; of those only what the rules count.
public struct PlaceholderGroups {
  private let least: [(sign: PlaceholderSign, count: Int)]
  private var leaders: [Int: Int] = [:]
  /// By leader, in the order of `least`.
  private var groups: [Int: [Distinct]] = [:]

  /// Names of which most groups have one.
  private struct Distinct {
    var first: Name128?
    var others: Set<Name128> = []

    var count: Int { (first == nil ? 0 : 1) + others.count }

    mutating func insert(_ name: Name128) {
      if first == nil { first = name } else if name != first { others.insert(name) }
    }
  }

  public init(_ rules: DuplicateRules) {
    least = PlaceholderSign.allCases.compactMap { sign in
      rules.placeholders[sign].map { (sign, $0) }
    }
  }

  /// Adds pairs with what a judge has said of them who goes by looks alone.
  public mutating func add(_ pairs: [JudgedPair], _ verdicts: [Verdict]) {
    for (pair, verdict) in zip(pairs, verdicts) {
      // A retry asks for a row once more: it stays where it was.
      let leader = verdict.drop?.survivor ?? pair.row
      leaders[pair.row] = leader
      var group = groups.removeValue(forKey: leader) ?? least.map { _ in Distinct() }
      for (place, rule) in least.enumerated() {
        if let name = Self.name(of: pair, rule.sign) { group[place].insert(name) }
      }
      groups[leader] = group
    }
  }

  private static func name(of pair: JudgedPair, _ sign: PlaceholderSign) -> Name128? {
    let text: String
    switch sign {
    case .captions: text = NormalizedCaption.text(of: pair.caption)
    case .urls: text = NormalizedURL.normalize(pair.url) ?? pair.url
    case .hosts: text = NormalizedURL.host(of: pair.url) ?? ""
    }
    return text.isEmpty ? nil : JudgedPair.digest(of: text)
  }

  /// The rows of placeholders, each with what it stands under in words, such as `under 5 captions`.
  public var rows: [Int: String] {
    let words = groups.compactMapValues { group -> String? in
      let signs = zip(least, group).filter { $0.count <= $1.count }
        .map { $0.sign.words($1.count) }
      return signs.isEmpty ? nil : "under " + signs.joined(separator: ", ")
    }
    return leaders.compactMapValues { words[$0] }
  }
}
