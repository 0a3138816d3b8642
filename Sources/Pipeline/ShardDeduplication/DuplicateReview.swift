public import Deduplication
import DurableFiles
import PairDataset
import PipelineCore

/// What is there for a person to judge deduplication by.
public struct DuplicateReview: Sendable {
  /// A picture with what is said of it.
  public struct Picture: Sendable, Equatable {
    public var row: Int
    public var caption: String
    /// Small; nil where nobody has kept it.
    public var jpeg: [UInt8]?

    public init(row: Int, caption: String, jpeg: [UInt8]?) {
      self.row = row
      self.caption = caption
      self.jpeg = jpeg
    }
  }

  /// Pictures that were dropped for one.
  public struct Group: Sendable, Equatable {
    /// Nil where another index or set holds it.
    public var survivor: Picture?
    /// What the group is called: its row, or where its survivor is.
    public var name: String
    /// All that were dropped for it.
    public var dropped: Int
    /// Some of them.
    public var shown: [Member]
  }

  public struct Member: Sendable, Equatable {
    public var sample: DuplicateSample
    public var jpeg: [UInt8]
  }

  /// Two pictures near the threshold.
  public struct Doubt: Sendable, Equatable {
    public var first: Picture
    public var second: Picture
    public var distance: Int
    public var difference: Int
  }

  static let folder = "duplicates"
  static let nearMisses = "near.jsonl"

  /// The largest first.
  public var groups: [Group] = []
  /// Dropped, with the greatest differences first.
  public var below: [Doubt] = []
  /// Kept, with the least differences first.
  public var above: [Doubt] = []

  public init() {}

  /// - Parameters:
  ///   - samples: Dropped pictures.
  ///   - kept: Kept pictures by row.
  ///   - sizes: How many were dropped for each group, by ``SampleChoice/group(_:)``; groups that are not
  ///     named are not shown.
  ///   - most: Groups, and pairs below the threshold.
  public init(
    samples: [(sample: DuplicateSample, jpeg: [UInt8])], kept: [Int: Picture],
    sizes: [String: Int], most: Int = 12
  ) {
    let members = samples.map { Member(sample: $0.sample, jpeg: $0.jpeg) }
    groups = Dictionary(grouping: members) { SampleChoice.group($0.sample) }
      .compactMap { name, members in
        // Of another the samples alone would tell, which are not all.
        guard let dropped = sizes[name] else { return nil }
        return Group(
          survivor: members[0].sample.drop.survivor.flatMap { kept[$0] }, name: name,
          dropped: dropped, shown: members.sorted { $0.sample.row < $1.sample.row })
      }
      .sorted { ($1.dropped, $0.name) < ($0.dropped, $1.name) }
    groups = Array(groups.prefix(most))
    below = members.compactMap { member -> Doubt? in
      guard member.sample.drop.reason == .duplicatePicture,
        let survivor = member.sample.drop.survivor.flatMap({ kept[$0] }),
        let distance = member.sample.distance, let difference = member.sample.difference
      else { return nil }
      return Doubt(
        first: survivor,
        second: Picture(
          row: member.sample.row, caption: member.sample.caption, jpeg: member.jpeg),
        distance: distance, difference: difference)
    }
    .sorted { ($1.difference, $0.second.row) < ($0.difference, $1.second.row) }
    below = Array(below.prefix(most))
  }

  /// What `pairloom dedup` has left in its output's folder.
  ///
  /// - Parameters:
  ///   - out: That folder.
  ///   - sizes: As ``init(samples:kept:sizes:most:)`` takes them.
  /// - Returns: Nothing of what is not there.
  /// - Throws: What is damaged.
  public static func read(of out: String, sizes: [String: Int]) throws -> DuplicateReview {
    let folder = "\(out)/\(Self.folder)"
    var kept: [Int: Picture] = [:]
    let shard = "\(folder)/kept/00000.tar"
    if DurableFile.exists(shard) {
      try ShardReader(path: shard).forEach { pair in
        guard let row = Int(pair.key) else { return }
        kept[row] = Picture(row: row, caption: pair.caption, jpeg: pair.image)
      }
    }
    var review = DuplicateReview(
      samples: try DuplicateSamples(folder).read(), kept: kept, sizes: sizes)
    let lines = "\(folder)/\(nearMisses)"
    if DurableFile.exists(lines) {
      review.above = try JSONLines.read(lines).compactMap { line in
        guard let first = line["first"]?.integer.flatMap({ kept[$0] }),
          let second = line["second"]?.integer.flatMap({ kept[$0] }),
          let distance = line["distance"]?.integer, let difference = line["difference"]?.integer
        else { return nil }
        return Doubt(first: first, second: second, distance: distance, difference: difference)
      }
    }
    return review
  }
}
