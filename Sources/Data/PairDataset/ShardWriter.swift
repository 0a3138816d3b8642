import Compression
import ContentHashing
import DurableFiles

/// Writes one shard: a WebDataset tar, plain or in LZ4 frames, with its index.
///
/// The same pairs in the same order give the same bytes. Nothing is visible before ``finish()``,
/// which publishes `NAME.idx` first and the shard last: where the shard is, its index is. Memory
/// stays at about a frame.
public final class ShardWriter {
  /// The tar bytes after which a frame is closed, at the end of a pair.
  static let frameSize = 1 << 20

  private let name: String
  private let folder: String
  private let compression: ShardCompression
  private let writer: DurableFileWriter
  private var hash = ContentHash()
  private var pending: [UInt8] = []
  private var frames: [TarByteStream.FrameStart] = []
  private var entries: [ShardIndex.Entry] = []
  private var keys: Set<String> = []
  /// The tar bytes that stand before `pending`.
  private var flushed = 0

  /// - Parameters:
  ///   - folder: Must be there.
  ///   - name: Without the ending, such as `00000`.
  ///   - compression: Gives the ending.
  /// - Throws: `file`.
  public init(folder: String, name: String, compression: ShardCompression) throws(ShardError) {
    self.folder = folder
    self.name = name
    self.compression = compression
    let path = "\(folder)/\(name).\(compression.fileExtension)"
    writer = try file(path) { () throws(FileError) in try DurableFileWriter(path) }
    pending.reserveCapacity(Self.frameSize * 5 / 4)
  }

  /// Adds the members `KEY.jpg`, `KEY.json` and, where the pair has one, `KEY.txt`.
  ///
  /// - Throws: `badPair`, which adds nothing; `file`, after which the writer is of no more use.
  public func append(_ pair: Pair) throws(ShardError) {
    guard SampleGrouping.imageExtensions.contains(pair.imageExtension) else {
      throw ShardError(
        .badPair(
          key: pair.key,
          "the ending \"\(pair.imageExtension)\" is none of "
            + SampleGrouping.imageExtensions.sorted().joined(separator: ", ")),
        shard: writer.path)
    }
    try append(pair.sample)
  }

  /// Adds all members of a sample, in their order and byte for byte.
  ///
  /// - Throws: `badPair`, which adds nothing; `file`, after which the writer is of no more use.
  public func append(_ sample: ShardSample) throws(ShardError) {
    if let detail = SampleRules.fault(in: sample) {
      throw ShardError(.badPair(key: sample.key, detail), shard: writer.path)
    }
    guard keys.insert(sample.key).inserted else {
      throw ShardError(
        .badPair(key: sample.key, "the shard has a pair of this key"), shard: writer.path)
    }
    let start = flushed + pending.count
    for member in sample.members { addMember("\(sample.key).\(member.suffix)", member.data) }
    entries.append(
      ShardIndex.Entry(key: sample.key, start: start, length: flushed + pending.count - start))
    if pending.count >= Self.frameSize { try flush() }
  }

  /// The pairs added so far.
  public var pairs: Int { entries.count }

  /// The bytes of the tar that holds them, its end included, before it is compressed.
  public var tarSize: Int { flushed + pending.count + TarFormat.end.count }

  /// What ``tarSize`` grows by with this sample.
  static func tarSize(of sample: ShardSample) -> Int {
    sample.members.reduce(0) {
      $0 + TarFormat.header(name: "\(sample.key).\($1.suffix)", size: $1.data.count).count
        + TarFormat.padded($1.data.count)
    }
  }

  /// Makes the shard durable and visible.
  ///
  /// - Throws: `file`.
  public func finish() throws(ShardError) -> ShardSummary {
    pending += TarFormat.end
    try flush()
    let index = ShardIndex(
      fileSize: writer.byteCount, tarSize: flushed, frames: frames, entries: entries)
    let indexPath = ShardIndex.path(beside: writer.path)
    let writer = writer
    try file(indexPath) { () throws(FileError) in
      try DurableFile.write(index.encoded(), to: indexPath)
    }
    try file(writer.path) { () throws(FileError) in try writer.commit() }
    return ShardSummary(
      file: "\(name).\(compression.fileExtension)", pairs: entries.count,
      bytes: writer.byteCount, sha256: hash.hexDigest())
  }

  private func addMember(_ name: String, _ data: [UInt8]) {
    pending += TarFormat.header(name: name, size: data.count)
    pending += data
    pending.append(
      contentsOf: repeatElement(0, count: TarFormat.padded(data.count) - data.count))
  }

  private func flush() throws(ShardError) {
    let bytes: [UInt8]
    switch compression {
    case .lz4:
      frames.append(
        TarByteStream.FrameStart(fileOffset: writer.byteCount, tarOffset: flushed))
      bytes = LZ4Frame.compress(pending)
    case .none:
      bytes = pending
    }
    let writer = writer
    try file(writer.path) { () throws(FileError) in try writer.write(bytes) }
    hash.update(bytes)
    flushed += pending.count
    pending.removeAll(keepingCapacity: true)
  }
}
