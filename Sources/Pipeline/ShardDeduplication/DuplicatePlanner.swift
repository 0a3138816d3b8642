import Deduplication
import DurableFiles
import PerceptualHash
import PipelineCore
import ShardMaintenance

/// Counts what would go, and drops nothing.
public enum DuplicatePlanner {
  /// A plan for shards.
  ///
  /// Looks at every picture; what is seen stays in `OUT.part` where `out` is given, and the command that
  /// then drops goes on from there.
  ///
  /// - Parameters:
  ///   - shards: In order.
  ///   - out: Where the new shards would go; nil leaves nothing behind.
  ///   - options: As they would be.
  ///   - onProgress: Told of every pair that was looked at.
  /// - Returns: The plan.
  /// - Throws: As ``ShardDeduplicator/deduplicate(_:to:options:onProgress:)``.
  public static func plan(
    _ shards: [String], out: String?, options: ShardDeduplicationOptions,
    onProgress: (ShardDeduplicator.Progress) throws -> Void = { _ in }
  ) throws -> DuplicatePlan {
    let path = out.map { Resharder.trimmed($0) + ".part" } ?? TemporaryPath.new()
    let folder = try WorkFolder(path, reading: shards)
    do {
      try folder.bind(inputs: try ShardDeduplicator.inputs(shards, options.rules))
      let count = try ShardExamination(shards: shards, folder: folder, options: options)
        .run { try onProgress(.examined($0)) }
      let plan = try plan(
        try folder.examinedBatches(), folder.pairs,
        judged: { batches in
          try ShardJudgement(folder: folder, options: options).run {
            try onProgress(.judged($0, of: count))
          }
        }, options)
      if out == nil { try folder.remove() }
      return plan
    } catch {
      // What was not asked for must not stay; what it cannot remove the system's cleaning does.
      if out == nil { try? folder.remove() }
      throw error
    }
  }

  /// A plan for a run, of what it has decoded: nothing is decoded again.
  ///
  /// - Throws: ``ShardDeduplicationError/noSignatures(_:)`` where there is nothing to go by.
  public static func plan(
    run path: String, options: ShardDeduplicationOptions,
    onProgress: (ShardDeduplicator.Progress) throws -> Void = { _ in }
  ) throws -> DuplicatePlan {
    let work = try WorkFolder(TemporaryPath.new(), reading: [])
    defer {
      // In the folder of temporary files, which the system clears where this cannot.
      try? work.remove()
    }
    let count = try RunPictures(RunFolder(path)).copy(to: work)
    guard count > 0 else { throw ShardDeduplicationError.noSignatures(path) }
    return try plan(
      try work.examinedBatches(), work.pairs,
      judged: { _ in
        try ShardJudgement(folder: work, options: options).run {
          try onProgress(.judged($0, of: count))
        }
      }, options)
  }

  /// Whether a run's tables tell what its pictures look like.
  public static func hasSignatures(run path: String) -> Bool {
    RunPictures(RunFolder(path)).hasSignatures
  }

  private static func plan(
    _ batches: Int, _ pairs: (Int) throws -> [ExaminedPair],
    judged: (Int) throws -> [Int: ShardFate], _ options: ShardDeduplicationOptions
  ) throws -> DuplicatePlan {
    var plan = DuplicatePlan()
    var seen: Set<String> = []
    var signatures: [PictureSignature] = []
    for batch in 0..<batches {
      for pair in try pairs(batch) {
        plan.pairs += 1
        if pair.signature == nil { plan.undecoded += 1 }
        let isKnown = pair.sha256 != DecodedRow.unknownSHA256
        if isKnown, !seen.insert(pair.sha256).inserted {
          plan.sameBytes += 1
        } else if let signature = pair.signature {
          signatures.append(signature)
        }
      }
    }
    plan.radii = try RadiusCounts.count(
      signatures, highest: DuplicatePlan.highestRadius, threads: options.threads)
    plan.dropped = Dictionary(
      try judged(batches).values.map { ($0.drop.reason.rawValue, 1) }, uniquingKeysWith: +)
    return plan
  }
}
