import DurableFiles
import FoundationEssentials
import JobLedger
import PipelineCore

/// What a run writes into its ledger so that a later command needs nothing but the folder.
struct RunNotes: Sendable {
  /// Every option in force, as `key=value`.
  var settings: [String]
  /// What the folder is bound to, in its order.
  var fingerprint: [(key: String, value: String)]

  static let settingsNote = "recipe.settings"
  static let fingerprintNote = "recipe.fingerprint"
  /// The expression of a retry.
  static func expressionNote(_ generation: Int) -> String { "retry.\(generation)" }

  init(recipe: PipelineRecipe, fingerprint: [(key: String, value: String)]) {
    // What has no value is left out: an empty list on a command line would be a statement.
    settings = recipe.resolved.filter { !["null", "[]"].contains($0.value) }.map { key, value in
      "\(key)=\(NamedFiles.value(value, of: key, path: Self.absolute))"
    }
    self.fingerprint = fingerprint
  }

  /// Reads the notes of a run; nil for a run of before there were notes.
  init?(_ ledger: any Ledger) async throws {
    guard let settings = try await ledger.note(Self.settingsNote),
      let fingerprint = try await ledger.note(Self.fingerprintNote)
    else { return nil }
    try self.init(settings: settings, fingerprint: fingerprint)
  }

  /// Reads the texts of the notes; nil where they are none.
  init?(settings: String, fingerprint: String) throws {
    guard case .array(let lines) = try JSONValue.parse(Array(settings.utf8)) else {
      return nil
    }
    self.settings = lines.compactMap(\.text)
    self.fingerprint = try JSONValue.parse(Array(fingerprint.utf8)).members.map {
      ($0.key, $0.value.text ?? "")
    }
  }

  func write(to ledger: any Ledger) async throws {
    for (key, value) in notes { try await ledger.setNote(key, value) }
  }

  /// As the ledger keeps them.
  var notes: [(key: String, value: String)] {
    [
      (Self.settingsNote, JSONValue.array(settings.map { .string($0) }).serialized),
      (
        Self.fingerprintNote,
        JSONValue.object(fingerprint.map { .init($0.key, .string($0.value)) }).serialized
      ),
    ]
  }

  /// The path from the root, for a later command in another folder; names of no file stay.
  private static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), DurableFile.exists(path) else { return path }
    return FileManager.default.currentDirectoryPath + "/" + path
  }
}
