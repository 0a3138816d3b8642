import DurableFiles
import JobLedger
import PipelineCore

/// The file by which an import that was killed is known: `import.json`, until the ledger has its jobs.
struct ImportState {
  private let folder: RunFolder
  private var path: String { "\(folder.path)/import.json" }

  /// Begins an import into a folder, or takes up one that was killed.
  ///
  /// - Parameters:
  ///   - folder: New, empty, or that of an unfinished import.
  ///   - source: The folder that is imported.
  /// - Throws: ``ImportError`` where there is a run, another import, or anything else.
  init(in folder: RunFolder, from source: String) throws {
    self.folder = folder
    let names = try DurableFile.names(in: folder.path)
    guard names.contains("import.json") else {
      if names.contains("ledger.sqlite") { throw ImportError.holdsRun(folder: folder.path) }
      let known: Set<String> = ["lost+found"]
      if let file = names.first(where: { !known.contains($0) && !$0.hasSuffix(".tmp") }) {
        throw ImportError.notEmpty(folder: folder.path, file: file)
      }
      try DurableFile.makeFolder(folder.path)
      let note = JSONValue.object([
        .init("program", .string("img2dataset")), .init("folder", .string(source)),
      ])
      try DurableFile.write(note.serialized + "\n", to: path)
      return
    }
    let from = try JSONValue.parse(try DurableFile.read(path))["folder"]?.text
    guard from == source else {
      throw ImportError.otherImport(folder: folder.path, from: from ?? "another folder")
    }
  }

  /// Whether the jobs were entered, and only the end of the file was missing.
  func isEntered() async throws -> Bool {
    guard DurableFile.exists(folder.ledger) else { return false }
    let ledger = try SQLiteLedger(path: folder.ledger)
    return try await ledger.lastChunk(stage: StageName.ingest.rawValue) != nil
  }

  /// Removes what a killed import has left: it begins anew.
  func clear() throws {
    try folder.removeAbandonedTemporaries()
    for part in ["chunks", "fetched", "decoded", "deduplicated", "shards"] {
      for name in try DurableFile.names(in: "\(folder.path)/\(part)") {
        try DurableFile.remove("\(folder.path)/\(part)/\(name)")
      }
    }
  }

  /// The folder is a run.
  func end() throws { try DurableFile.remove(path) }
}
