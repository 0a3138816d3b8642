import DurableFiles
import PairDataset
import PipelineCore

/// A file in a run's folder, by what its place and name say it is.
///
/// Folders of models, logs and the like are not looked into: what is in them no stage writes.
struct RunFile: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    /// Written for a chunk, or for a shard, of this number, or of the run as a whole.
    case known(number: Int?)
    /// Being written: its process publishes it, or has gone.
    case temporary
    /// Of no name that Pairloom gives.
    case foreign
  }

  /// Relative to the run's folder.
  var path: String
  /// The folder that it is in, relative to the run's; empty for the run's own.
  var folder: String
  var name: String
  var kind: Kind

  /// The files of a run, by folder and name.
  ///
  /// - Parameter folder: Of the run.
  /// - Returns: Files and, where there should be none, folders.
  /// - Throws: `FileError`.
  static func all(in folder: RunFolder) throws -> [RunFile] {
    var files: [RunFile] = []
    let scorers = try scorers(of: folder).map { "scores/" + $0 }
    for place in places + scorers {
      let path = place.isEmpty ? folder.path : "\(folder.path)/\(place)"
      for name in try DurableFile.names(in: path) where !isFolder(name, in: place) {
        files.append(
          RunFile(
            path: place.isEmpty ? name : "\(place)/\(name)", folder: place, name: name,
            kind: kind(of: name, in: place)))
      }
    }
    return files
  }

  /// The folders under `scores/`; a file there is no scorer's.
  private static func scorers(of folder: RunFolder) throws -> [String] {
    let path = "\(folder.path)/scores"
    return try DurableFile.names(in: path).filter { DurableFile.exists("\(path)/\($0)/.") }
  }

  private static let places = [
    "", "chunks", "fetched", "decoded", "deduplicated", "shards", "filtered", "filtered/verdicts",
    "filtered/rescored",
    "duplicates", "duplicates/plan", "duplicates/samples",
  ]
  private static let folders: Set<String> = [
    "chunks", "fetched", "decoded", "deduplicated", "shards", "filtered", "scores", "logs",
    "models", "duplicates",
  ]

  private static func isFolder(_ name: String, in place: String) -> Bool {
    switch place {
    case "": folders.contains(name)
    case "filtered": ["verdicts", "rescored"].contains(name)
    // The last three are there while a chunk is judged.
    case "duplicates":
      ["plan", "samples", "groups", "late"].contains(name) || RunFolder.isSpareIndexes(name)
    default: false
    }
  }

  /// What the run as a whole has, by folder.
  private static let ofTheRun: [String: Set<String>] = [
    "": [
      "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "origins.sqlite",
      "origins.sqlite-wal", "origins.sqlite-shm", "rates.map", "hosts.map", "forgotten.jsonl",
      "rejects.parquet", "dataset.json", "sizes.json", "run.json", "report.html", "trained.jsonl",
    ],
    "chunks": ["columns.json", "files.json"], "shards": ["sizes.json", "__len__"],
    "filtered": ["sizes.json"],
    "duplicates": ["pictures.index", "pairs.index", "captions.index", "state.json", "lock"],
    "duplicates/plan": ["plan.json"],
  ]

  /// The endings of what is written for a number, by folder; in `fetched/` an attempt stands between.
  private static func endings(of place: String) -> [String] {
    let shards = ShardCompression.allCases.map { "." + $0.fileExtension } + [".idx", ".parquet"]
    return switch place {
    case "chunks": [".jsonl"]
    case "fetched", "decoded": [".parquet", ".bytes"]
    // img2dataset's statistics stand beside its shards.
    case "shards": shards + ["_stats.json"]
    case "filtered": shards
    case "duplicates/samples": [".tar", ".idx"]
    case "duplicates": []
    case "": []
    default: [".parquet"]
    }
  }

  private static func kind(of name: String, in place: String) -> Kind {
    if name.hasSuffix(".tmp") {
      let parts = name.split(separator: ".")
      return parts.count > 3 && Int32(parts[parts.count - 3]) != nil ? .temporary : .foreign
    }
    if ofTheRun[place]?.contains(name) == true || isDamagedLedger(name, in: place) {
      return .known(number: nil)
    }
    // Evaluation sets as they were looked at.
    if place == "duplicates", name.hasPrefix("evaluation-"), name.hasSuffix(".parquet") {
      return .known(number: nil)
    }
    // The reports of retries.
    if place == "chunks", name.hasPrefix("retry-"), name.hasSuffix(".json") {
      return .known(number: nil)
    }
    guard let number = number(of: name) else { return .foreign }
    var rest = name.dropFirst(RunFolder.digits(number).utf8.count)
    if place == "fetched", attempt(of: name) != nil {
      rest = rest.dropFirst().drop { $0 != "." }
    }
    return endings(of: place).contains(String(rest)) ? .known(number: number) : .foreign
  }

  /// The number of a file that is one as our names are: five digits, more only where they are needed.
  static func number(of name: String) -> Int? {
    let digits = name.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits), RunFolder.digits(number) == digits else { return nil }
    return number
  }

  /// The attempt of a file of `fetched/`.
  static func attempt(of name: String) -> Int? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 3 ? Int(parts[1]) : nil
  }

  /// Whether it is a ledger that was damaged and put aside.
  static func isDamagedLedger(_ name: String, in place: String) -> Bool {
    place.isEmpty && name.hasPrefix("ledger.sqlite") && name.contains(".damaged-")
  }
}
