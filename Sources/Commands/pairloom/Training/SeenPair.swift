package import BatchLoading
import CLIPTraining
import ContentHashing
import DurableFiles
import Foundation
import PairRecords
import PipelineCore
import TrainingLedger

/// At which steps of a training run a pair was seen, and which checkpoints know it by then.
///
/// Nothing is logged per pair: the order of samples follows from seed and epoch.
package struct SeenPair {
  /// What can be said, or why nothing can.
  enum Answer {
    case seen(
      steps: [Int], ofSteps: Int, checkpoints: [TrainingCheckpoint],
      replacements: SeenReplacements?)
    case unknown(String)
  }

  var folder: String
  var outcome: String
  var answer: Answer

  /// Asks the runs that a data set knows of, and those of `folders`.
  ///
  /// - Parameters:
  ///   - place: The pair's in the data set.
  ///   - dataset: The path of its `dataset.json`.
  ///   - folders: Of training runs; each must be one.
  /// - Returns: An answer for each run.
  /// - Throws: What a ledger is at fault with; for a folder that is no training run.
  static func ask(
    _ place: DatasetPlace, dataset: String, folders: [String]
  ) throws -> [SeenPair] {
    let parent = URL(fileURLWithPath: dataset).deletingLastPathComponent().path
    let pair = Pair(
      number: place.number, key: place.key, dataset: dataset,
      hash: ContentHash.sha256Hex(try DurableFile.read(dataset)))
    let named = folders.map(TrainedRuns.absolute)
    var runs: [SeenPair] = []
    for folder in named {
      guard let ledger = try TrainingLedger.open(folder: folder, making: false) else {
        throw CommandError("\(folder): is no folder of `pairloom train`")
      }
      runs.append(try SeenPair(pair, folder, ledger))
    }
    // Runs that were moved or removed since are passed over.
    for folder in try TrainedRuns.folders(of: parent) where !named.contains(folder) {
      guard let ledger = try TrainingLedger.open(folder: folder, making: false) else { continue }
      runs.append(try SeenPair(pair, folder, ledger))
    }
    return runs
  }

  private struct Pair {
    var number: Int
    var key: String?
    /// The path of the `dataset.json`, and its SHA-256.
    var dataset: String
    var hash: String
  }

  private init(_ pair: Pair, _ folder: String, _ ledger: TrainingLedger) throws {
    self.folder = folder
    let (number, hash) = (pair.number, pair.hash)
    let attempts = try ledger.settledAttempts(now: CheckpointSurvey.now())
    outcome = attempts.last?.outcome.rawValue ?? "never begun"
    let entered = try ledger.checkpoints()
    let done = try Self.steps(of: attempts, entered, folder)
    // One that was refused, with another seed or data set, trained on nothing.
    let known = try attempts.last { attempt in
      try attempt.fromStep != nil && Self.sources(of: attempt).contains { $0.sha256 == hash }
    }
    guard let known else {
      answer = .unknown("trained on another data set, or on this one before it was made anew")
      return
    }
    let sources = try Self.sources(of: known)
    guard let own = sources.firstIndex(where: { $0.sha256 == hash }), number < sources[own].pairs,
      let seed = known.facts["seed"].flatMap({ UInt64($0) }),
      let batch = known.facts["global_batch"].flatMap({ Int($0) }), batch > 0
    else {
      answer = .unknown("its ledger does not say how its samples were ordered")
      return
    }
    let before = sources[..<own].reduce(0) { $0 + $1.pairs }
    func steps(of number: Int) -> [Int] {
      Self.steps(
        of: before + number, in: Self.order(of: sources, seed: seed), batch: batch, done: done)
    }
    let replacements = try pair.key.map {
      try SeenReplacements(
        of: $0, source: sources.count == 1 ? nil : sources[own].path, folder: folder)
    }
    let planned = steps(of: number)
    answer = .seen(
      steps: try replacements?.steps(planned: planned, dataset: pair.dataset, of: steps) ?? planned,
      ofSteps: done, checkpoints: entered.filter { $0.step <= done }, replacements: replacements)
  }

  /// How far a run came.
  ///
  /// Attempts that began anew, from step 0, hold what counts from there on.
  private static func steps(
    of attempts: [TrainingAttempt], _ checkpoints: [TrainingCheckpoint], _ folder: String
  ) throws -> Int {
    guard let taken = attempts.taken else { return 0 }
    let told = taken.toStep ?? 0
    guard taken.number == attempts.last?.number, [.running, .killed].contains(taken.outcome) else {
      return told
    }
    // The ledger hears of it every few seconds, and of a killed one's last not at all.
    let own = checkpoints.filter { $0.attempt == taken.number }.map(\.step)
    return max(told, own.max() ?? 0, try TrainingLine.lines(in: folder).last?.step ?? 0)
  }

  /// The sources of an attempt; none where its ledger does not name them.
  private static func sources(of attempt: TrainingAttempt) throws -> [TrainingOutline.Source] {
    // An attempt that ended before its data were open names none.
    guard let json = attempt.facts[TrainingFacts.sourcesKey] else { return [] }
    return try JSONDecoder().decode([TrainingOutline.Source].self, from: Data(json.utf8))
  }

  private static func order(of sources: [TrainingOutline.Source], seed: UInt64) -> PairOrder {
    var (parts, start): ([PairOrder.Part], Int) = ([], 0)
    for source in sources {
      if source.pairs > 0 {
        parts.append(.init(start: start, count: source.pairs, weight: source.weight))
      }
      start += source.pairs
    }
    return PairOrder(parts: parts, seed: seed)
  }

  /// The steps, from 1, whose batches hold a pair; costs a look at each sample of the run.
  package static func steps(of number: Int, in order: PairOrder, batch: Int, done: Int) -> [Int] {
    var order = order
    return (0..<done * batch).compactMap { position in
      order.visit(at: position).index == number ? position / batch + 1 : nil
    }
  }

  /// For a person.
  var lines: [String] {
    switch answer {
    case .unknown(let why): return ["  \(folder)  \(why)"]
    case .seen(let steps, let done, let checkpoints, let replacements):
      var lines = [
        "  \(folder)  \(outcome), \(done) steps: seen \(Self.times(steps.count))"
          + Self.list(steps)
      ]
      lines += replacements?.lines ?? []
      for checkpoint in checkpoints {
        let seen = steps.filter { $0 <= checkpoint.step }
        let state = checkpoint.removedAt == nil ? "" : ", rotated away"
        lines.append(
          "    \(checkpoint.file)  step \(checkpoint.step)\(state): " + Self.times(seen.count))
      }
      return lines
    }
  }

  private static func times(_ count: Int) -> String {
    count == 0 ? "never" : count == 1 ? "once" : "\(count) times"
  }

  private static func list(_ steps: [Int]) -> String {
    guard !steps.isEmpty else { return "" }
    let told = steps.prefix(20).map(String.init).joined(separator: ", ")
    return ", at step\(steps.count == 1 ? "" : "s") \(told)" + (steps.count > 20 ? ", …" : "")
  }

  /// For a program.
  var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("folder", .string(folder)), .init("outcome", .string(outcome)),
    ]
    switch answer {
    case .unknown(let why): members.append(.init("unknown", .string(why)))
    case .seen(let steps, let done, let checkpoints, let replacements):
      members += [
        .init("steps_done", .int(done)), .init("steps", .array(steps.map { .int($0) })),
        .init(
          "checkpoints",
          .array(
            checkpoints.map { checkpoint in
              .object([
                .init("file", .string(checkpoint.file)), .init("step", .int(checkpoint.step)),
                .init("sha256", .string(checkpoint.sha256)),
                .init("is_kept", .bool(checkpoint.removedAt == nil)),
                .init("seen", .int(steps.count { $0 <= checkpoint.step })),
              ])
            })),
      ]
      if let own = replacements?.own {
        members += [
          .init("replaced_from", .int(own.step)), .init("replaced_by", .string(own.standIn)),
          .init("why", .string(own.why)),
        ]
      }
      if let others = replacements?.others, !others.isEmpty {
        members.append(.init("stands_in_for", .array(others.map { .string($0.key) })))
      }
    }
    return .object(members)
  }
}
