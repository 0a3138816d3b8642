import Deduplication
import DurableFiles
import FilterStage
import IngestStage
package import JobLedger
package import PipelineCore
package import ShardStage

/// The file `run.json`: what only the ledger knows and no other file tells, should the ledger be lost.
///
/// That is a random identity, by which another run's ledger is told; what the folder is bound to; and
/// the notes: options, fingerprint, the expressions of retries. It holds no count: those are in the
/// tables. The ledger comes first, so what stands here has always been in it.
package struct RunRecord: Sendable, Equatable {
  /// 32 hexadecimal digits.
  package var identity: String
  /// The version of the ledger's tables.
  package var ledgerFormat: Int
  /// The ledger's count of changes; of a record and a ledger the one with more is the later.
  package var revision: Int
  /// By key, sorted.
  package var configuration: [JSONValue.Member]
  package var notes: [JSONValue.Member]

  /// The note by which the ledger knows its run.
  package static let identityNote = "run.identity"

  /// Brings the record up to what the ledger says; called whenever a note or the configuration changes.
  ///
  /// - Throws: `LedgerError`, `FileError`.
  package static func update(_ folder: RunFolder, from ledger: any Ledger) async throws {
    try await writeRetries(folder, from: ledger)
    while true {
      guard let record = try await RunRecord(ledger) else {
        let number = (UInt64.random(in: 0...UInt64.max), UInt64.random(in: 0...UInt64.max))
        try await ledger.setNote(identityNote, hexadecimal(number.0) + hexadecimal(number.1))
        continue
      }
      let bytes = Array((record.json.serialized + "\n").utf8)
      // Another process may have written an older state behind ours: look again until both agree.
      if DurableFile.exists(folder.record), try DurableFile.read(folder.record) == bytes { return }
      try DurableFile.write(bytes, to: folder.record)
    }
  }

  /// The record as it is and as the ledger would have it; nil where either is missing or damaged.
  package static func both(
    of folder: RunFolder, _ ledger: any Ledger
  ) async throws -> (file: RunRecord, ledger: RunRecord)? {
    // A damaged one is told of where the files are looked at.
    guard let file = try? read(folder), let own = try await RunRecord(ledger) else { return nil }
    return (file, own)
  }

  /// The keys whose values another state of the same record has otherwise, or has lost.
  ///
  /// Notes that come and go with the work do not count.
  package func changed(in other: RunRecord) -> [String] {
    func changed(_ old: [JSONValue.Member], _ new: [JSONValue.Member]) -> [String] {
      old.filter { member in
        !member.key.hasPrefix("repair.") && member.key != RedoNote.key && !new.contains(member)
      }.map(\.key)
    }
    return changed(configuration, other.configuration) + changed(notes, other.notes)
  }

  /// Retries of before there were such files.
  private static func writeRetries(_ folder: RunFolder, from ledger: any Ledger) async throws {
    let stage = StageName.ingest.rawValue
    guard try await ledger.lastChunk(stage: stage) ?? 0 > 0 else { return }
    for (generation, counts) in try await ledger.counts(stage: stage) where generation > 0 {
      let path = folder.retryReport(generation)
      if !DurableFile.exists(path) { try DurableFile.write(counts + "\n", to: path) }
    }
  }

  private static func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }

  private var json: JSONValue {
    .object([
      .init("identity", .string(identity)), .init("ledger_format", .int(ledgerFormat)),
      .init("revision", .int(revision)),
      .init("configuration", .object(configuration)), .init("notes", .object(notes)),
    ])
  }

  /// The record of the run in `folder`; nil where there is none.
  ///
  /// - Throws: ``TableError`` where it is damaged.
  package static func read(_ folder: RunFolder) throws -> RunRecord? {
    guard DurableFile.exists(folder.record) else { return nil }
    let bytes = try DurableFile.read(folder.record)
    // Words of JSONValue's own would not say which file.
    guard let json = try? JSONValue.parse(bytes), let identity = json["identity"]?.text,
      let format = json["ledger_format"]?.integer,
      case .object(let configuration) =
        json["configuration"], case .object(let notes) = json["notes"],
      (configuration + notes).allSatisfy({ $0.value.text != nil })
    else { throw TableError(path: folder.record, row: 0, problem: "it is no record of a run") }
    return RunRecord(
      identity: identity, ledgerFormat: format, revision: json["revision"]?.integer ?? 0,
      configuration: configuration, notes: notes)
  }

  /// The record's pairs as the ledger takes them, identity included.
  package var pairs:
    (
      configuration: [(key: String, value: String)], notes: [(key: String, value: String)]
    )
  {
    func pairs(_ members: [JSONValue.Member]) -> [(key: String, value: String)] {
      members.map { ($0.key, $0.value.text ?? "") }
    }
    return (pairs(configuration), pairs(notes) + [(Self.identityNote, identity)])
  }

  /// The stage from which on the run is being done again; nil where it is not.
  package var redo: StageName? {
    get throws {
      guard let text = notes.first(where: { $0.key == RedoNote.key })?.value.text
      else { return nil }
      return try JSONValue.parse(Array(text.utf8))["stage"]?.text.flatMap(StageName.init(rawValue:))
    }
  }

  /// The first chunk that was given up and handed back; nil where there is none.
  package var firstReleased: Int? {
    get throws {
      guard let text = notes.first(where: { $0.key == ReleasedChunks.note })?.value.text,
        case .array(let chunks) = try JSONValue.parse(Array(text.utf8))
      else { return nil }
      return chunks.compactMap(\.integer).min()
    }
  }

  /// The expression of each retry that was begun, by its number.
  package var retries: Set<Int> {
    let prefix = RunNotes.expressionNote(0).dropLast()
    return Set(notes.compactMap { Int($0.key.dropFirst(prefix.count)) }.filter { $0 > 0 })
      .filter { number in notes.contains { $0.key == RunNotes.expressionNote(number) } }
  }

  /// What the run's recipe says of its jobs and files; nil for a run whose options were never noted.
  ///
  /// - Throws: `RecipeError`.
  package func recipe() throws -> RecordedRecipe? {
    func note(_ key: String) -> String? { notes.first { $0.key == key }?.value.text }
    guard let settings = note(RunNotes.settingsNote),
      let fingerprint = note(RunNotes.fingerprintNote),
      let known = try RunNotes(settings: settings, fingerprint: fingerprint)
    else { return nil }
    let recipe = try PipelineRecipe(yaml: "", path: "run.json", overrides: known.settings)
    let scorer = known.fingerprint.first { $0.key == "scorer" }?.value
    return RecordedRecipe(
      shardStage: recipe.shardStage, chunkRows: recipe.ingest.chunkRows,
      plan: PipelinePlan(
        window: recipe.chunksInFlight, isScored: scorer != nil,
        needsAll: recipe.deduplicate.needsAll), scorer: scorer,
      hasRule: recipe.filter != .none, isPacked: recipe.packing.isAsked,
      sha256: PipelineRecipe.sha256(of: known.fingerprint))
  }
}

extension RunRecord {
  /// What the record of a ledger's run should be; nil where the ledger does not know its run yet.
  fileprivate init?(_ ledger: any Ledger) async throws {
    // First: a change in between is then told as one that the record lacks.
    revision = try await ledger.revision()
    let (configuration, notes) = try await ledger.everything()
    guard let identity = notes.first(where: { $0.key == Self.identityNote })?.value else {
      return nil
    }
    self.identity = identity
    ledgerFormat = SQLiteLedger.formatVersion
    self.configuration = configuration.map { .init($0.key, .string($0.value)) }
    self.notes = notes.filter { $0.key != Self.identityNote && !$0.value.isEmpty }
      .map { .init($0.key, .string($0.value)) }
  }
}

/// A run's recipe as far as its jobs and files depend on it.
package struct RecordedRecipe: Sendable {
  package var shardStage: ShardStage
  package var chunkRows: Int
  package var plan: PipelinePlan
  /// Whose scores there are; nil where nothing is scored.
  package var scorer: String?
  /// Whether a filter judges the pairs.
  package var hasRule: Bool
  /// Whether the final shards are packed anew, and are not those of the chunks.
  package var isPacked: Bool
  /// Of the fingerprint, as the manifest has it.
  package var sha256: String
}
