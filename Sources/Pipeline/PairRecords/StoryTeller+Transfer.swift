import PipelineCore
import URLPipeline

/// What the list, the policies and the web had to say.
extension StoryTeller {
  func transferChapters(_ record: PairRecord) -> [PairStory.Chapter] {
    guard let fetched = record.entry.fetched else { return [] }
    var chapters: [PairStory.Chapter] = []
    if record.entry.candidate.picture != nil, fetched.record.isEmpty {
      return [
        .init("download", [.init("result", "taken from the list's shard", .null)] + body(fetched))
      ]
    }
    chapters.append(policy(fetched))
    chapters.append(
      .init(
        "download",
        result(fetched) + body(fetched)
          + transfer(fetched, of: record.entry.candidate.url)))
    return chapters
  }

  private func policy(_ fetched: FetchedRow) -> PairStory.Chapter {
    guard let rule = fetched.recorded("policy_rule")?.text else {
      return .init("policy", [.init("decision", "nothing refused it", .string("allowed"))])
    }
    var facts: [PairStory.Fact] = [
      .init("decision", "refused by \(rule)", .string("refused")),
      .init("rule", nil, .string(rule)),
    ]
    if let source = fetched.recorded("policy_source")?.text {
      facts.append(.init("source", text: source))
    }
    if let text = fetched.recorded("policy_text")?.text { facts.append(.init("text", text: text)) }
    return .init("policy", facts)
  }

  private func result(_ fetched: FetchedRow) -> [PairStory.Fact] {
    guard let drop = fetched.drop else { return [.init("result", "fetched", .string("fetched"))] }
    let kind = fetched.failureClass.map { " (\($0.rawValue))" } ?? ""
    var facts: [PairStory.Fact] = [
      .init("result", "\(drop.reason.rawValue)\(kind)", .string(drop.reason.rawValue)),
      .init("class", nil, fetched.failureClass.map { .string($0.rawValue) } ?? .null),
    ]
    // What stands elsewhere already is not told twice.
    let isTold =
      drop.detail.isEmpty || drop.detail == fetched.status.map { String($0) }
      || drop.detail == fetched.recorded("policy_text")?.text
    facts.append(.init("detail", isTold ? nil : drop.detail, .string(drop.detail)))
    return facts
  }

  private func body(_ fetched: FetchedRow) -> [PairStory.Fact] {
    var facts: [PairStory.Fact] = []
    if let bytes = fetched.bytes {
      facts.append(.init("bytes", "\(bytes.length)", .int(bytes.length)))
    }
    if let hash = PairRecord.known(fetched.sha256) { facts.append(.init("sha256", text: hash)) }
    return facts
  }

  /// The record of the transfer, as it was kept.
  private func transfer(_ fetched: FetchedRow, of url: String) -> [PairStory.Fact] {
    var facts: [PairStory.Fact] = []
    if let status = fetched.status { facts.append(.init("status", number: status)) }
    for member in fetched.record where !member.key.hasPrefix("policy_") {
      switch (member.key, member.value) {
      case ("hops", .array(let hops)):
        facts.append(.init("hops", nil, member.value))
        facts += Self.words(hops: hops).map { .init("hop", $0, .null) }
      case ("started_at", let value):
        facts.append(.init("started_at", value.integer.map(LocalTime.words), value))
      case ("seconds", let value):
        let parts = [
          ("lookup", "lookup_seconds"), ("connect", "connect_seconds"), ("TLS", "tls_seconds"),
          ("first byte", "first_byte_seconds"),
        ].compactMap { word, key in
          fetched.number(key).map { "\(word) \(Self.seconds($0))" }
        }.joined(separator: ", ")
        facts.append(
          .init(
            "seconds",
            value.double.map { Self.seconds($0) + (parts.isEmpty ? "" : " (\(parts))") }, value))
      case (let key, let value) where key.hasSuffix("_seconds"):
        facts.append(.init(key, nil, value))
      case ("final_url", let value) where value.text == url:
        facts.append(.init("final_url", "the same URL", value))
      case ("received_bytes", let value):
        let words = value.integer.map { "\($0) on the wire" }
        facts.append(.init("received", words, .null))
        facts.append(.init("received_bytes", nil, value))
      default:
        facts.append(
          .init(member.key, member.value.text ?? member.value.serialized, member.value))
      }
    }
    return facts
  }

  /// A line for each place that was asked; a place that was asked several times running has one.
  private static func words(hops: [JSONValue]) -> [String] {
    var lines: [(text: String, count: Int)] = []
    for hop in hops {
      let status = hop["status"]?.integer.map { "\($0) " } ?? ""
      let text = status + (hop["url"]?.text ?? hop.serialized)
      if lines.last?.text == text {
        lines[lines.count - 1].count += 1
      } else {
        lines.append((text, 1))
      }
    }
    return lines.map { $0.text + ($0.count > 1 ? " (\($0.count) times)" : "") }
  }

  /// A duration to the millisecond.
  static func seconds(_ seconds: Double) -> String {
    let rounded = (seconds * 1_000).rounded() / 1_000
    return rounded == 0 ? "0 s" : "\(rounded) s"
  }
}
