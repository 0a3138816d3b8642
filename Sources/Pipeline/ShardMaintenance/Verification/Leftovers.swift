import DurableFiles
import JobLedger
import PairDataset
import PipelineCore
import URLPipeline

/// Files of jobs that were done again, and that they do not write any more.
///
/// A chunk that keeps nothing now has no shard, and fewer pairs make fewer final shards. What the
/// jobs had written is noted in the ledger before they are handed back, so that whoever ends them, a
/// repair or a run, leaves nothing behind for good; what no job has written is nobody's to remove.
struct Leftovers: Sendable {
  /// Paths relative to the run's folder, of all that the jobs had written.
  let noted: Set<String>

  private static let note = "repair.outputs"

  private init(noted: Set<String>) { self.noted = noted }

  /// What earlier repairs have noted and nobody has cleared.
  init(_ ledger: any Ledger) async throws {
    guard let text = try await ledger.note(Self.note), !text.isEmpty,
      case .array(let paths) = try JSONValue.parse(Array(text.utf8))
    else {
      noted = []
      return
    }
    noted = Set(paths.compactMap(\.text).filter(Self.isOutput))
  }

  /// Notes what `jobs` have written, with what is noted already.
  ///
  /// Killed behind this, a repair has noted what is still listed, which stays.
  static func note(outputsOf jobs: [JobName], _ facts: RunFacts, in ledger: any Ledger) async throws
  {
    let old = try await Leftovers(ledger).noted
    let all = old.union(try outputs(of: jobs, facts))
    if all != old { try await Leftovers(noted: all).save(to: ledger, of: facts.folder) }
  }

  private func save(to ledger: any Ledger, of folder: RunFolder) async throws {
    let paths = JSONValue.array(noted.sorted().map { .string($0) })
    try await ledger.setNote(Self.note, noted.isEmpty ? "" : paths.serialized)
    try await RunRecord.update(folder, from: ledger)
  }

  /// What no job writes any more, by paths relative to the run's folder, in order.
  ///
  /// Nothing is told of a job that is yet to be done, or was given up.
  func unlisted(_ facts: RunFacts) throws -> [String] {
    try split(facts).unlisted.filter { DurableFile.exists("\(facts.folder.path)/\($0)") }
  }

  /// Removes what no job writes any more, and forgets about what is settled.
  ///
  /// - Returns: What was there and is gone.
  func clear(_ facts: RunFacts, in ledger: any Ledger) async throws -> [String] {
    let gone = try unlisted(facts)
    for path in gone { try DurableFile.remove("\(facts.folder.path)/\(path)") }
    let undecided = try split(facts).undecided
    if undecided != noted {
      try await Leftovers(noted: undecided).save(to: ledger, of: facts.folder)
    }
    return gone
  }

  private func split(_ facts: RunFacts) throws -> (unlisted: [String], undecided: Set<String>) {
    guard !noted.isEmpty else { return ([], []) }
    guard facts.unfinishedJobs == 0 else { return ([], noted) }
    var listed: Set<String> = []
    var undecided: Set<String> = []
    for chunk in facts.chunks {
      if facts.report(.shard, chunk) != nil {
        listed.formUnion(Self.outputs(ofShard: chunk, facts))
      } else {
        let number = RunFolder.digits(chunk)
        undecided.formUnion(
          noted.filter { !Self.isFinal($0) && Self.name($0).prefix { $0 != "." } == number })
      }
    }
    let finals = noted.filter(Self.isFinal)
    if !finals.isEmpty {
      if facts.filters.isEmpty || !DurableFile.exists(facts.folder.dataset) {
        undecided.formUnion(finals)
      } else {
        let manifest = try DatasetManifest.read(facts.folder.dataset)
        listed.formUnion(manifest.shards.flatMap { Self.files(of: $0, facts) })
      }
    }
    return (noted.subtracting(listed).subtracting(undecided).sorted(), undecided)
  }

  private static func outputs(of jobs: [JobName], _ facts: RunFacts) throws -> Set<String> {
    var paths: Set<String> = []
    for job in jobs where job.stage == StageName.shard.rawValue {
      paths.formUnion(outputs(ofShard: job.chunk, facts))
    }
    if jobs.contains(where: { $0.stage == StageName.filter.rawValue }) {
      paths.formUnion(try finalOutputs(facts))
    }
    return paths.filter(isOutput)
  }

  /// A chunk's shard and its index, and the verdicts on its pairs.
  private static func outputs(ofShard chunk: Int, _ facts: RunFacts) -> Set<String> {
    guard let summary = facts.report(.shard, chunk)?.shard else { return [] }
    let path = "\(facts.folder.shards)/\(summary.file)"
    return [
      facts.name(path), facts.name(ShardIndexFile.path(ofShard: path)),
      facts.name(facts.folder.filterTable(chunk)),
    ]
  }

  /// The final shards of the manifest; those that the ledger counts where it cannot be read.
  private static func finalOutputs(_ facts: RunFacts) throws -> Set<String> {
    do {
      let manifest = try DatasetManifest.read(facts.folder.dataset)
      return Set(manifest.shards.flatMap { files(of: $0, facts) }.filter(isFinal))
    } catch {
      let count = facts.filters.reduce(0) {
        $0 + (facts.report(.filter, $1)?.facts["shards"] ?? 0)
      }
      return Set(
        try DurableFile.names(in: facts.folder.filtered).filter { name in
          let digits = name.prefix { $0 != "." }
          return digits.count >= 5 && Int(digits).map { (0..<count).contains($0) } ?? false
        }.map { "filtered/" + $0 })
    }
  }

  private static func files(of shard: ShardSummary, _ facts: RunFacts) -> [String] {
    let index = facts.name(
      ShardIndexFile.path(ofShard: "\(facts.folder.path)/\(shard.file)"))
    return [shard.file, index] + (shard.table.map { [$0] } ?? [])
  }

  private static func name(_ path: String) -> Substring { path.split(separator: "/").last ?? "" }

  private static func isFinal(_ path: String) -> Bool {
    path.hasPrefix("filtered/") && !path.hasPrefix("filtered/verdicts/")
  }

  /// Whether a stage may have written the file: a manifest may say anything.
  private static func isOutput(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard [["shards"], ["filtered"], ["filtered", "verdicts"]].contains(parts.dropLast()) else {
      return false
    }
    return name(path).prefix { $0.isASCII && $0.isNumber }.count >= 5
  }
}
