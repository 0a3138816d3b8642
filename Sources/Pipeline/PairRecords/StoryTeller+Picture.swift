import AuditedScores
import FilterStage
import PairDataset
import PipelineCore
import URLPipeline

/// What decoding, deduplication and the shards had to say.
extension StoryTeller {
  func pictureChapters(_ record: PairRecord) async throws -> [PairStory.Chapter] {
    var chapters: [PairStory.Chapter] = []
    if let drop = record.entry.candidate.drop {
      chapters.append(.init("ingest", try await dropFacts(drop)))
    }
    if let decoded = record.entry.decoded { chapters.append(decode(decoded)) }
    if let verdict = record.entry.verdict {
      var facts: [PairStory.Fact] = [.init("result", "the first of its kind", .string("kept"))]
      if let drop = verdict.drop { facts = try await dropFacts(drop, verdict.match) }
      chapters.append(.init("deduplicate", facts))
    }
    return chapters
  }

  private func decode(_ decoded: DecodedRow) -> PairStory.Chapter {
    var facts: [PairStory.Fact] = []
    if let drop = decoded.drop {
      facts.append(.init("result", text: drop.reason.rawValue))
      if !drop.detail.isEmpty { facts.append(.init("detail", text: drop.detail)) }
    } else {
      facts.append(.init("result", "decoded", .string("decoded")))
    }
    func size(_ name: String, _ width: Int?, _ height: Int?) {
      guard let width, let height else { return }
      facts.append(.init(name, "\(width) × \(height)", .array([.int(width), .int(height)])))
    }
    size("original_size", decoded.originalWidth, decoded.originalHeight)
    size("kept_size", decoded.width, decoded.height)
    if let format = decoded.format { facts.append(.init("kept_as", text: format)) }
    if let bytes = decoded.bytes { facts.append(.init("kept_bytes", number: bytes.length)) }
    if let hash = PairRecord.known(decoded.sha256) { facts.append(.init("sha256", text: hash)) }
    if let phash = decoded.phash { facts.append(.init("phash", text: phash)) }
    if let exif = decoded.exif {
      facts.append(.init("exif", exif == "{}" ? "none" : exif, .string(exif)))
    }
    return .init("decode", facts)
  }

  /// A drop with what became of the row that is kept in its stead.
  private func dropFacts(
    _ drop: Drop, _ match: DuplicateMatch? = nil
  ) async throws -> [PairStory.Fact] {
    var facts: [PairStory.Fact] = [.init("result", text: drop.reason.rawValue)]
    if !drop.detail.isEmpty { facts.append(.init("detail", text: drop.detail)) }
    if let distance = match?.distance {
      facts.append(.init("distance", "\(distance) of the pHash's 64 bits", .int(distance)))
    }
    if let difference = match?.difference {
      facts.append(.init("difference", number: difference))
    }
    guard let survivor = drop.survivor else {
      if let uid = match?.uid { facts.append(.init("of_uid", text: uid)) }
      if let source = match?.source { facts.append(.init("of_source", text: source)) }
      return facts
    }
    let likeness =
      switch drop.reason {
      case .duplicateURL: "has the same URL"
      case .duplicatePicture: "looks the same"
      case .duplicateCaption: "has nearly the same caption"
      case .captionLimit: "is the first with the same caption"
      default: "has the same bytes (exact duplicate)"
      }
    facts.append(.init("of", "row \(survivor), which \(likeness)", .int(survivor)))
    let records = try await records(ofRow: survivor)
    guard let record = newest(records) else { return facts }
    let candidate = record.entry.candidate
    if !record.isForgotten {
      if drop.reason != .duplicateURL, !candidate.url.isEmpty {
        facts.append(.init("of_url", text: candidate.url))
      }
      facts.append(.init("of_uid", text: candidate.uid))
    }
    // A duplicate of a duplicate is told by that one's own story.
    facts.append(.init("of_fate", text: try await conclusion(of: record)))
    return facts
  }

  func shardChapters(_ record: PairRecord) async throws -> [PairStory.Chapter] {
    guard let number = record.numberInShard, let key = record.key else { return [] }
    var chapters: [PairStory.Chapter] = []
    let file = ShardFiles.shard(record.chunk, in: run.folder.shards)
    if let file {
      chapters.append(
        .init("shard", try place(of: key, number, in: file)))
    } else {
      chapters.append(
        .init(
          "shard",
          [
            .init(
              "file", "shard \(record.chunk) is gone: `pairloom verify \(run.folder.path)`", .null)
          ]))
    }
    let scores = zip(run.scorers, record.scores).compactMap { scorer, score in
      score.map { PairStory.Fact(scorer, "\($0)", .number("\($0)")) }
    }
    if !scores.isEmpty { chapters.append(.init("score", scores)) }
    if let judgement = record.judgement {
      var facts: [PairStory.Fact] = [
        .init(
          "result", judgement.drop?.reason.rawValue ?? "kept",
          .string(judgement.drop?.reason.rawValue ?? "kept"))
      ]
      if let drop = judgement.drop, drop.reason == .filterRule {
        facts.append(.init("why", text: "does not pass: \(drop.detail)"))
      } else if judgement.drop != nil, let words = try await lowScoreWords(record) {
        facts.append(.init("why", text: words))
      } else if let rule = ruleWords {
        facts.append(.init("rule", text: rule))
      }
      chapters.append(.init("filter", facts + (try auditFacts(judgement, ofChunk: record.chunk))))
    }
    if let place = try await finalShards().place(of: record), !place.shard.file.hasPrefix("shards/")
    {
      let path = "\(run.folder.path)/\(place.shard.file)"
      let final = try finalKey(at: place) ?? key
      chapters.append(.init("final", try self.place(of: final, place.number, in: path)))
    }
    return chapters
  }

  /// By what kind of score a pair was judged, and how far it is to be trusted.
  private func auditFacts(
    _ judgement: PairRecord.Judgement, ofChunk chunk: Int
  ) throws -> [PairStory.Fact] {
    guard let kind = judgement.kind, let score = judgement.score,
      let report = ScoreAuditReport(try PairTable.metadata(of: run.folder.filterTable(chunk)))
    else { return [] }
    let words =
      kind == ScoreKind.float32.rawValue
      ? "scored again, as one of the sample or near the cut" : "farther from the cut than the bound"
    return [
      .init("score", text: "\(score) in \(kind): \(words)"),
      .init("audit", text: report.lines.joined(separator: "; ")),
    ]
  }

  private var ruleWords: String? {
    switch run.recipe?.filter {
    case .minScore(let threshold): "filter.min_score \(threshold)"
    case .topFraction(let fraction): "filter.top_fraction \(fraction)"
    case .plan: run.recipe?.filter.planName.map { "the plan \($0)" }
    case nil, .some(.none): nil
    }
  }

  /// Where a pair lies in a shard, and its members there.
  private func place(of key: String, _ number: Int, in path: String) throws -> [PairStory.Fact] {
    let reader = try ShardReader(path: path)
    let name =
      path.hasPrefix(run.folder.path + "/")
      ? String(path.dropFirst(run.folder.path.count + 1)) : path
    var facts: [PairStory.Fact] = [
      .init("file", text: name), .init("key", text: key),
      .init("number", "\(number) of \(reader.count), from 0", .int(number)),
    ]
    guard number < reader.count, reader.keys[number] == key else {
      facts.append(
        .init(
          "index", "it has another pair there: `pairloom verify \(run.folder.path)`", .null))
      return facts
    }
    let members = try reader.sample(at: number).members
    facts.append(
      .init(
        "members", members.map { "\(key).\($0.suffix)" }.joined(separator: " "),
        .object(members.map { .init($0.suffix, .int($0.data.count)) })))
    let place = reader.place(of: number)
    if let frame = place.frame, let frameNumber = place.frameNumber {
      facts += [
        .init(
          "place",
          "frame \(frameNumber) at byte \(frame.fileOffset) of the file, \(place.offsetInFrame)"
            + " bytes into it; \(place.length) bytes of tar", .null),
        .init("frame", nil, .int(frameNumber)), .init("frame_offset", nil, .int(frame.fileOffset)),
        .init("offset_in_frame", nil, .int(place.offsetInFrame)),
      ]
    } else {
      facts.append(
        .init("place", "byte \(place.tarOffset) of the tar; \(place.length) bytes", .null))
    }
    facts += [
      .init("tar_offset", nil, .int(place.tarOffset)), .init("tar_length", nil, .int(place.length)),
    ]
    return facts
  }
}
