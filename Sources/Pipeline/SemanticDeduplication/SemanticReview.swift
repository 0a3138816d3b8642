import EmbeddingFiles

/// What a person looks at to judge a semantic deduplication: the largest groups, and pairs near the threshold.
public struct SemanticReview: Sendable, Equatable {
  public struct Sample: Sendable, Equatable {
    public var row: Int
    public var key = ""
    public var caption = ""
    /// The cosine with what stays; 1 for that itself.
    public var cosine: Float = 1
    /// A small JPEG, where there is one.
    public var picture: [UInt8]?
  }

  /// What stays, and some of what goes for it.
  public struct Group: Sendable, Equatable {
    public var dropped: Int
    public var survivor: Sample
    public var members: [Sample]
  }

  /// Two rows of one cluster.
  public struct Doubt: Sendable, Equatable {
    public var first: Sample
    public var second: Sample
    public var cosine: Float
  }

  public var groups: [Group] = []
  /// Of what goes, those least like what they go for.
  public var below: [Doubt] = []
  /// Of what stays, those most like one in front of them.
  public var above: [Doubt] = []
  /// Of what goes: the cosine with the nearest in front of it.
  public var cosines: [Float] = []

  private static let (mostMembers, mostDoubts) = (13, 24)

  /// - Parameters:
  ///   - judgement: What goes.
  ///   - folder: Names the rows.
  ///   - rows: Those that were judged.
  ///   - mostGroups: Of how many groups, the largest first.
  /// - Throws: What is wrong with the folder's tables.
  init(
    _ judgement: SemanticJudgement, of folder: EmbeddingFolder, _ rows: EmbeddingRows,
    groups mostGroups: Int
  ) throws {
    let sizes = Dictionary(judgement.fates.values.map { ($0.survivor, 1) }, uniquingKeysWith: +)
    let largest = sizes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(mostGroups)
    var members: [Int: [Int]] = [:]
    for group in largest { members[group.key] = [] }
    let dropped = judgement.fates.sorted { $0.key < $1.key }
    for (row, fate) in dropped
    where members[fate.survivor].map({ $0.count < Self.mostMembers }) == true {
      members[fate.survivor]?.append(row)
    }
    cosines = dropped.map(\.value.cosine)
    let doubtful = dropped.sorted { ($0.value.cosine, $0.key) < ($1.value.cosine, $1.key) }
      .prefix(Self.mostDoubts)
    let pairs = judgement.misses.map { ($0.match, $0.row, $0.cosine) }
    let wanted =
      Set(members.keys).union(members.values.joined()).union(doubtful.map(\.key))
      .union(doubtful.map(\.value.match)).union(pairs.flatMap { [$0.0, $0.1] })
    let metadata = try folder.metadata(of: wanted)
    func sample(_ row: Int, _ cosine: Float = 1) -> Sample {
      Sample(
        row: row, key: metadata[row]?.key ?? "", caption: metadata[row]?.caption ?? "",
        cosine: cosine)
    }
    groups = largest.map { group in
      Group(
        dropped: group.value, survivor: sample(group.key),
        members: (members[group.key] ?? []).map {
          sample($0, rows.cosine(of: $0, and: group.key))
        })
    }
    below = doubtful.map { row, fate in
      Doubt(first: sample(fate.match), second: sample(row), cosine: fate.cosine)
    }
    above = pairs.map { Doubt(first: sample($0.0), second: sample($0.1), cosine: $0.2) }
  }

  /// The rows of all samples.
  var rows: Set<Int> {
    Set(groups.flatMap { [$0.survivor.row] + $0.members.map(\.row) })
      .union((below + above).flatMap { [$0.first.row, $0.second.row] })
  }

  /// Gives the samples their pictures, and the captions that the shards have where the table has none.
  mutating func illustrate(_ pictures: [Int: [UInt8]], captions: [Int: String]) {
    func illustrate(_ sample: inout Sample) {
      sample.picture = pictures[sample.row]
      if sample.caption.isEmpty { sample.caption = captions[sample.row] ?? "" }
    }
    for group in groups.indices {
      illustrate(&groups[group].survivor)
      for member in groups[group].members.indices { illustrate(&groups[group].members[member]) }
    }
    for index in below.indices {
      illustrate(&below[index].first)
      illustrate(&below[index].second)
    }
    for index in above.indices {
      illustrate(&above[index].first)
      illustrate(&above[index].second)
    }
  }
}
