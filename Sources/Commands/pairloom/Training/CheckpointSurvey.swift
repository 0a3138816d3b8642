import ContentHashing
import DurableFiles
import Foundation
import TrainingLedger

/// Finds out which checkpoints of a run are there, and enters them in its ledger.
///
/// It looks at the files, so that it needs to know nothing of who writes them and when.
struct CheckpointSurvey {
  let folder: String
  let ledger: TrainingLedger
  let attempt: Int
  /// When the attempt began: what was written before is another's.
  private let startedAt = CheckpointSurvey.now()
  /// Size and time of change of what was entered, by path in the folder.
  private var known: [String: String] = [:]
  /// The newest that was found: its step, and when.
  private(set) var newest: (step: Int, at: Date)?

  /// - Throws: `TrainingLedgerError`.
  init(folder: String, ledger: TrainingLedger, attempt: Int) throws {
    self.folder = folder
    self.ledger = ledger
    self.attempt = attempt
    for checkpoint in try ledger.checkpoints() where checkpoint.removedAt == nil {
      known[checkpoint.file] = "\(checkpoint.bytes) \(checkpoint.writtenAt)"
    }
  }

  /// Enters what is new and marks what is gone.
  ///
  /// Reads each new file once, for its SHA-256.
  ///
  /// - Returns: Whether anything is new.
  /// - Throws: `FileError`, `TrainingLedgerError`.
  mutating func look() throws -> Bool {
    var isNew = false
    var present: Set<String> = []
    // Those with a step in their name come first.
    let names = try DurableFile.names(in: folder + "/checkpoints").reversed()
    for name in names where name.hasSuffix(".safetensors") {
      let file = "checkpoints/" + name
      present.insert(file)
      guard let facts = facts(of: file), known[file] != "\(facts.bytes) \(facts.changedAt)" else {
        continue
      }
      guard let sha256 = try digest(of: file) else { continue }
      // Of a name without a step nothing is known before the file of the step is.
      guard let step = try step(of: name, sha256: sha256) else { continue }
      try ledger.enter(
        TrainingCheckpoint(
          file: file, step: step,
          attempt: facts.changedAt < startedAt ? max(1, attempt - 1) : attempt, bytes: facts.bytes,
          sha256: sha256,
          writtenAt: facts.changedAt))
      known[file] = "\(facts.bytes) \(facts.changedAt)"
      isNew = true
      if step >= newest?.step ?? 0 { newest = (step, Date()) }
    }
    let gone = known.keys.filter { !present.contains($0) }.sorted()
    if !gone.isEmpty {
      try ledger.remove(gone, now: Self.now())
      for file in gone { known[file] = nil }
    }
    return isNew
  }

  /// Milliseconds since 1970.
  static func now() -> Int { Int(Date().timeIntervalSince1970 * 1_000) }

  /// Nil for a file that was rotated away meanwhile.
  private func digest(of file: String) throws -> String? {
    do { return try FileDigest.sha256(of: folder + "/" + file) } catch {
      if error.errorNumber == ENOENT { return nil }
      throw error
    }
  }

  private func facts(of file: String) -> (bytes: Int, changedAt: Int)? {
    // A file that was rotated away meanwhile has none.
    guard
      let facts = try? FileManager.default.attributesOfItem(atPath: folder + "/" + file),
      let bytes = facts[.size] as? Int, let date = facts[.modificationDate] as? Date
    else { return nil }
    return (bytes, Int(date.timeIntervalSince1970 * 1_000))
  }

  /// `step-00000100.safetensors` says it; `best.safetensors` is one of those, too, under another name.
  private func step(of name: String, sha256: String) throws -> Int? {
    if let step = Int(name.drop { !$0.isNumber }.prefix { $0.isNumber }) { return step }
    return try ledger.checkpoints().last { $0.sha256 == sha256 }?.step
  }
}
