import Deduplication
import PerceptualHash
import PipelineCore
import ShardDeduplication

/// Groups of duplicates as contact sheets, and pairs near the threshold side by side.
package struct ReportDuplicates: Sendable {
  /// A picture with what stands under it.
  package struct Card: Sendable {
    /// An encoded picture; nil shows a blank.
    package var image: [UInt8]?
    package var label: String
    /// A line in small print, as in how near it is to what stays.
    package var note: String
    package var caption: String

    package init(image: [UInt8]?, label: String, note: String = "", caption: String) {
      self.image = image
      self.label = label
      self.note = note
      self.caption = caption
    }
  }

  /// What stays, and some of what was dropped for it.
  package struct Group: Sendable {
    package var title: String
    package var dropped: Int
    /// Nil where it is nowhere to be seen.
    package var survivor: Card?
    package var members: [Card]

    package init(title: String, dropped: Int, survivor: Card?, members: [Card]) {
      self.title = title
      self.dropped = dropped
      self.survivor = survivor
      self.members = members
    }
  }

  /// Two pictures and how near they are.
  package struct Pairing: Sendable {
    package var first: Card
    package var second: Card
    package var note: String

    package init(first: Card, second: Card, note: String) {
      self.first = first
      self.second = second
      self.note = note
    }
  }

  package var groups: [Group]
  /// Dropped, the most doubtful first.
  package var below: [Pairing]
  /// Kept, the most doubtful first.
  package var above: [Pairing]
  /// What decides, in words.
  package var rule: String
  /// What is shown of the dropped pairs near the threshold, and of the kept ones.
  package var groupsNote =
    "What stays has a frame; the others were dropped for it. Below each its row, how far it is from what "
    + "stays, and its caption."
  package var belowNote = " These are the dropped ones with the greatest differences."
  package var aboveNote =
    "These are the kept ones that are nearest to each other, in two bits more than the radius allows."

  package init(
    groups: [Group] = [], below: [Pairing] = [], above: [Pairing] = [], rule: String = ""
  ) {
    self.groups = groups
    self.below = below
    self.above = above
    self.rule = rule
  }

  /// Members of a group that are shown.
  private static let mostMembers = 13

  /// - Parameters:
  ///   - review: What was chosen to be looked at.
  ///   - rules: By which it was dropped.
  ///   - names: What groups are called, by ``SampleChoice/group(_:)``.
  init(_ review: DuplicateReview, rules: DuplicateRules, names: [String: String]) {
    groups = review.groups.map { group in
      Group(
        title: names[group.name] ?? group.name, dropped: group.dropped,
        survivor: group.survivor.map {
          Card(image: $0.jpeg, label: "kept: row \($0.row)", caption: $0.caption)
        },
        members: group.shown.prefix(Self.mostMembers).map { member in
          Card(
            image: member.jpeg,
            label: "row \(member.sample.row)", note: Self.nearness(member.sample),
            caption: member.sample.caption)
        })
    }
    func pairing(_ doubt: DuplicateReview.Doubt) -> Pairing {
      Pairing(
        first: Card(
          image: doubt.first.jpeg, label: "row \(doubt.first.row)", caption: doubt.first.caption),
        second: Card(
          image: doubt.second.jpeg, label: "row \(doubt.second.row)", caption: doubt.second.caption
        ),
        note: "difference \(doubt.difference), \(doubt.distance) bits")
    }
    below = review.below.map(pairing)
    above = review.above.map(pairing)
    rule =
      rules.kind != .near
      ? "Two pictures are one where their bytes are equal."
      : "Two pictures are one where their pHashes differ in at most \(rules.radius) bits and their finer "
        + "signatures by at most \(PictureSignature.usualDifference)."
  }

  /// How a dropped picture is like what stays.
  private static func nearness(_ sample: DuplicateSample) -> String {
    if let distance = sample.distance {
      if distance == 0, sample.difference ?? 0 == 0 { return "looks the same" }
      return "\(distance) \(distance == 1 ? "bit" : "bits")"
        + (sample.difference.map { ", difference \($0)" } ?? "")
    }
    switch sample.drop.reason {
    case .duplicateBytes: return "equal bytes"
    case .duplicatePicture: return ""
    default: return sample.drop.reason.rawValue
    }
  }
}

extension ReportDuplicates {
  /// The sections of the page.
  func sections(_ section: (_ title: String, _ content: String, _ note: String) -> String) -> String
  {
    let sheets = groups.map { group in
      "<div class=\"group\"><h3>\(Markup.escape(group.title)) <small>"
        + "\(Markup.grouped(group.dropped)) dropped\(Self.shown(group))</small></h3><div class=\"sheet\">"
        + (group.survivor.map { Self.figure($0, class: "kept") } ?? "")
        + group.members.map { Self.figure($0, class: nil) }.joined() + "</div></div>"
    }
    return section(
      "The largest groups", Markup.wrapped(sheets.joined(), class: "groups"),
      groupsNote)
      + section(
        "Dropped, just below the threshold", Self.pairings(below),
        rule + belowNote)
      + section(
        "Kept, just above the threshold", Self.pairings(above), aboveNote)
  }

  private static func shown(_ group: Group) -> String {
    group.members.count < group.dropped ? ", \(group.members.count) shown" : ""
  }

  private static func pairings(_ pairings: [Pairing]) -> String {
    let cards = pairings.map { pairing in
      "<div class=\"pairing\"><div>\(figure(pairing.first, class: nil))"
        + "\(figure(pairing.second, class: nil))</div><p>\(Markup.escape(pairing.note))</p></div>"
    }
    return Markup.wrapped(cards.joined(), class: "pairings")
  }

  private static func figure(_ card: Card, class name: String?) -> String {
    let picture =
      card.image.flatMap(Markup.dataURL).map { "<img alt=\"\" src=\"\($0)\">" }
      ?? "<div class=\"none\">no picture</div>"
    return "<figure\(name.map { " class=\"\($0)\"" } ?? "")>\(picture)<figcaption>"
      + "<b>\(Markup.escape(card.label))</b>"
      + (card.note.isEmpty ? "" : "<i>\(Markup.escape(card.note))</i>")
      + "\(Markup.escape(shortened(card.caption)))</figcaption></figure>"
  }

  /// A caption's beginning: a page of texts hides the pictures.
  private static func shortened(_ caption: String) -> String {
    OneLine.text(caption, longest: 70)
  }
}
