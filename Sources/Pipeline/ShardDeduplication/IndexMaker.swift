import ContentHashing
import DecodeStage
import DurableFiles
import PairDataset
import PerceptualHash
import PictureIndex
import PipelineCore
import ShardMaintenance
public import WorkerProcesses

/// Makes an index of pictures by hand: of shards, of folders of pictures, of runs.
public enum IndexMaker {
  /// What came of it.
  public struct Outcome: Sendable, Equatable {
    /// Pictures in the index.
    public var pictures = 0
    /// Those of them that do not decode, and are found by their bytes alone.
    public var undecoded = 0
  }

  private static let endings: Set = ["jpg", "jpeg", "png", "webp", "gif"]

  /// - Parameters:
  ///   - sources: Shards, folders or patterns of them, folders of pictures, folders of runs; their pictures
  ///     come in this order, also those that are equal. Of a run those that it kept.
  ///   - path: The file, which must not be there.
  ///   - threads: Cores to use.
  ///   - worker: Starts a process that decodes; nil decodes in this one.
  ///   - onProgress: Told the pictures so far.
  /// - Returns: How many pictures there are.
  /// - Throws: ``ShardDeduplicationError``, what is wrong with a source, what the disk refuses. Nothing is
  ///   at `path` then.
  public static func make(
    from sources: [String], to path: String, threads: Int, worker: WorkerCommand?,
    onProgress: (Int) throws -> Void = { _ in }
  ) throws -> Outcome {
    guard !DurableFile.exists(path) else { throw ShardDeduplicationError.outputExists(path) }
    let part = path + ".part"
    try DurableFile.remove(part)
    var writer = Writer(
      index: try PictureIndex(part, isWritable: true), threads: threads,
      examiner: PictureExaminer(worker: worker))
    for source in sources {
      if DurableFile.exists(RunFolder(source).ledger) {
        for entry in try RunPictures(RunFolder(source)).keptEntries() { try writer.add(entry) }
      } else if let pictures = try pictures(in: source) {
        guard try ShardPattern.tars(in: source).isEmpty else {
          throw ShardDeduplicationError.mixedFolder(source)
        }
        for picture in pictures {
          let body = try DurableFile.read(picture)
          let digest = Name128(hex: ContentHash.sha256Hex(body))
          guard let digest else { preconditionFailure("a SHA-256 has 64 hexadecimal digits") }
          try writer.add(
            PictureEntry(uid: digest, row: 0, digest: digest, signature: nil), body)
          try onProgress(writer.count)
        }
      } else {
        for shard in try ShardPaths.find([source]) {
          try ShardReader(path: shard).forEach { pair in
            let examined = ExaminedPair(pair, row: 0, shard: 0, bestColumn: nil)
            try writer.add(examined.entry, pair.image)
            try onProgress(writer.count)
          }
        }
      }
    }
    try writer.finish()
    guard writer.count > 0 else {
      try DurableFile.remove(part)
      throw ShardDeduplicationError.noPairs
    }
    try DurableFile.move(part, to: path)
    return Outcome(pictures: writer.count, undecoded: writer.undecoded)
  }

  /// The pictures of a folder and those below it, by path; nil for what is no folder of pictures.
  private static func pictures(in folder: String) throws -> [String]? {
    guard DurableFile.isFolder(folder) else { return nil }
    var found: [String] = []
    var open = [folder.hasSuffix("/") ? String(folder.dropLast()) : folder]
    while let next = open.popLast() {
      for name in try DurableFile.names(in: next) {
        let path = "\(next)/\(name)"
        if RealPath.isFolder(path) {
          open.append(path)
        } else if let ending = name.split(separator: ".").last, name.contains("."),
          endings.contains(ending.lowercased())
        {
          found.append(path)
        }
      }
    }
    return found.isEmpty ? nil : found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Entries that are not in the index yet.
  private struct Writer {
    let index: PictureIndex
    let threads: Int
    let examiner: PictureExaminer
    var count = 0
    var undecoded = 0
    private var batch = 0
    private var entries: [PictureEntry] = []
    /// Pictures that were not looked at yet, and the places of their entries.
    private var bodies: [[UInt8]] = []
    private var places: [Int] = []
    private var bytes = 0

    init(index: PictureIndex, threads: Int, examiner: PictureExaminer) {
      self.index = index
      self.threads = threads
      self.examiner = examiner
    }

    /// Adds a picture that is yet to be looked at.
    mutating func add(_ entry: PictureEntry, _ body: [UInt8]) throws {
      places.append(entries.count)
      bodies.append(body)
      bytes += body.count
      try add(entry)
    }

    mutating func add(_ entry: PictureEntry) throws {
      var entry = entry
      entry.row = count
      entries.append(entry)
      count += 1
      if bytes >= 128 << 20 { try examine() }
      if entries.count == ShardExamination.batchRows { try publish() }
    }

    mutating func finish() throws {
      if !entries.isEmpty { try publish() }
      try index.compact()
    }

    private mutating func examine() throws {
      let seen = try examiner.examine(bodies, threads: threads) { false }
      for (place, result) in zip(places, seen) {
        switch result {
        case .success(let picture): entries[place].signature = picture.signature
        case .failure: undecoded += 1
        }
      }
      bodies = []
      places = []
      bytes = 0
    }

    private mutating func publish() throws {
      try examine()
      try index.append(entries, batch: batch)
      batch += 1
      entries = []
    }
  }
}
