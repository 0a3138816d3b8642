public import DecodeStage
import DurableFiles
import PairDataset
public import PipelineCore

/// A bounded choice of the pictures that were dropped, small, in a run's folder: their bytes are gone
/// when the run has ended, and a person wants to see them.
///
/// A chunk's choice is a plain WebDataset shard, `NNNNN.tar`, with `ROW.jpg`, `ROW.json` and
/// `ROW.txt`. As chunks add up, those between are taken away: of every second, fourth, eighth … chunk
/// a shard stays. What is there follows from the verdicts and the number of chunks alone, so
/// that runs of any number of workers, and those that were killed, leave the same.
public struct DuplicateSamples: Sendable {
  public let folder: String
  /// Pictures of a chunk.
  public let mostOfChunk: Int
  /// Chunks of which pictures are kept; a power of two.
  public let mostChunks: Int

  /// - Parameters:
  ///   - folder: Made with the first sample.
  ///   - mostOfChunk: Pictures of a chunk; of 4 to 8 kB.
  ///   - mostChunks: A power of two.
  public init(_ folder: String, mostOfChunk: Int = 16, mostChunks: Int = 64) {
    precondition(
      mostOfChunk > 0 && mostChunks > 0 && mostChunks.nonzeroBitCount == 1,
      "\(mostOfChunk) pictures of \(mostChunks) chunks, which must be a power of two")
    self.folder = folder
    self.mostOfChunk = mostOfChunk
    self.mostChunks = mostChunks
  }

  /// Keeps some of what a chunk has dropped.
  ///
  /// Decodes at most ``mostOfChunk`` pictures: some 20 ms. Doing a chunk again replaces its shard.
  ///
  /// - Parameters:
  ///   - chunk: Its number; chunks come in order, and may come again.
  ///   - candidates: All that it has dropped as duplicates, with the places of their pictures.
  ///   - path: The file in which these lie.
  ///   - maker: Makes them small.
  ///   - flag: Calls the work off.
  /// - Throws: What the disk refuses.
  public func keep(
    chunk: Int, of candidates: [(sample: DuplicateSample, bytes: ByteRange)], in path: String,
    by maker: ThumbnailMaker, _ flag: CancellationFlag = CancellationFlag()
  ) throws {
    let names = try DurableFile.names(in: folder)
    // A chunk that is done again does not make fewer of them.
    let stride = stride(ofChunks: max(chunk, names.compactMap(number).max() ?? 0) + 1)
    if chunk % stride == 0 {
      let rows = Set(SampleChoice.rows(of: candidates.map(\.sample), most: mostOfChunk))
      let chosen = candidates.filter { rows.contains($0.sample.row) }
        .sorted { $0.sample.row < $1.sample.row }
      let pictures = try maker.thumbnails(of: chosen.map(\.bytes), in: path, flag)
      try write(chunk, zip(chosen.map(\.sample), pictures).map { ($0, $1) })
    }
    for name in names where number(name).map({ $0 % stride != 0 }) == true {
      try DurableFile.remove("\(folder)/\(name)")
    }
  }

  /// The chunk of a file.
  private func number(_ name: String) -> Int? {
    name.split(separator: ".").first.flatMap { Int($0) }
  }

  /// The shards of `count` chunks that stay: every so many-th.
  private func stride(ofChunks count: Int) -> Int {
    var stride = 1
    while (count + stride - 1) / stride > mostChunks { stride *= 2 }
    return stride
  }

  /// Writes one shard of samples whose pictures are made already; those without a picture are left out.
  public func write(_ chunk: Int, _ samples: [(sample: DuplicateSample, jpeg: [UInt8]?)]) throws {
    let shown = samples.filter { $0.jpeg != nil }
    let name = RunFolder.digits(chunk)
    guard !shown.isEmpty else {
      for ending in ["tar", "idx"] { try DurableFile.remove("\(folder)/\(name).\(ending)") }
      return
    }
    try DurableFile.makeFolder(folder)
    let writer = try ShardWriter(folder: folder, name: name, compression: .none)
    for (sample, jpeg) in shown {
      try writer.append(
        Pair(
          key: String(sample.row), caption: sample.caption, image: jpeg ?? [],
          metadata: Array(sample.json.serialized.utf8)))
    }
    _ = try writer.finish()
  }

  /// All samples with their JPEGs, in order of chunks; none where the folder is not there.
  ///
  /// - Throws: `ShardError` where a shard is damaged, which may be deleted: it is of use to nobody else.
  public func read() throws -> [(sample: DuplicateSample, jpeg: [UInt8])] {
    try chunks().flatMap { try read($0) }
  }

  /// The samples of one chunk; none where it has none.
  ///
  /// - Throws: As ``read()``.
  public func read(_ chunk: Int) throws -> [(sample: DuplicateSample, jpeg: [UInt8])] {
    let path = path(chunk)
    guard DurableFile.exists(path) else { return [] }
    var found: [(sample: DuplicateSample, jpeg: [UInt8])] = []
    try ShardReader(path: path).forEach { pair in
      let json = try JSONValue.parse(pair.metadata)
      guard let sample = DuplicateSample(json, caption: pair.caption) else {
        throw TableError(path: path, row: 0, problem: "\(pair.key) is no sample")
      }
      found.append((sample, pair.image))
    }
    return found
  }

  /// The chunks with samples, in order; none where the folder is not there.
  public func chunks() throws -> [Int] {
    try DurableFile.names(in: folder).filter { $0.hasSuffix(".tar") }.compactMap(number).sorted()
  }

  /// The shard of a chunk.
  public func path(_ chunk: Int) -> String { "\(folder)/\(RunFolder.digits(chunk)).tar" }
}
