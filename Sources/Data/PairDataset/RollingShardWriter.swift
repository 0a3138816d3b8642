/// Writes pairs into one shard after the other: `00000`, `00001`, and so on without a gap.
///
/// A shard is full at `maxPairs` pairs, or when one more pair would take its tar over `maxBytes`; the
/// last may be short. Each is published, durable and whole, when the next begins; ``finish()``
/// publishes the last. The same samples in the same order give the same shards.
public final class RollingShardWriter {
  private let folder: String
  private let compression: ShardCompression
  private let maxPairs: Int?
  private let maxBytes: Int?
  private let nameDigits: Int
  private var nextNumber: Int
  private var writer: ShardWriter?
  /// The shards published so far, in their order.
  public private(set) var published: [ShardSummary] = []

  /// - Parameters:
  ///   - folder: Must be there.
  ///   - firstNumber: Of the first shard.
  ///   - compression: Of all of them.
  ///   - maxPairs: Of a shard; nil is no limit.
  ///   - maxBytes: Of a shard's tar before it is compressed; nil is no limit. A pair that is larger
  ///     has a shard of its own.
  ///   - nameDigits: Of a shard's name at least; a number with more has them all.
  public init(
    folder: String, firstNumber: Int = 0, compression: ShardCompression, maxPairs: Int?,
    maxBytes: Int?, nameDigits: Int = 5
  ) {
    precondition(firstNumber >= 0, "the first shard has number \(firstNumber)")
    precondition(maxPairs ?? 1 > 0 && maxBytes ?? 1 > 0, "a shard must hold something")
    self.folder = folder
    nextNumber = firstNumber
    self.compression = compression
    self.maxPairs = maxPairs
    self.maxBytes = maxBytes
    self.nameDigits = nameDigits
  }

  /// Adds a pair to the shard that has room for it.
  ///
  /// - Returns: The number of that shard.
  /// - Throws: `badPair`, which adds nothing; `file`, after which the writer is of no more use.
  @discardableResult
  public func append(_ pair: Pair) throws(ShardError) -> Int {
    let writer = try writer(for: pair.sample)
    try writer.append(pair)
    return nextNumber - 1
  }

  /// Adds all members of a sample to the shard that has room for it.
  ///
  /// - Returns: The number of that shard.
  /// - Throws: `badPair`, which adds nothing; `file`, after which the writer is of no more use.
  @discardableResult
  public func append(_ sample: ShardSample) throws(ShardError) -> Int {
    let writer = try writer(for: sample)
    try writer.append(sample)
    return nextNumber - 1
  }

  /// Publishes the last shard.
  ///
  /// - Returns: All shards in their order; none where nothing was appended.
  /// - Throws: `file`.
  public func finish() throws(ShardError) -> [ShardSummary] {
    try publish()
    return published
  }

  private func writer(for sample: ShardSample) throws(ShardError) -> ShardWriter {
    if let writer, hasRoom(writer, for: sample) { return writer }
    // Refused before a shard begins for it: that shard could stay empty.
    if let detail = SampleRules.fault(in: sample) {
      throw ShardError(.badPair(key: sample.key, detail), shard: folder)
    }
    try publish()
    let digits = String(nextNumber)
    let zeros = String(repeating: "0", count: max(0, nameDigits - digits.utf8.count))
    let begun = try ShardWriter(folder: folder, name: zeros + digits, compression: compression)
    nextNumber += 1
    writer = begun
    return begun
  }

  private func hasRoom(_ writer: ShardWriter, for sample: ShardSample) -> Bool {
    if let maxPairs, writer.pairs >= maxPairs { return false }
    guard let maxBytes, writer.pairs > 0 else { return true }
    return writer.tarSize + ShardWriter.tarSize(of: sample) <= maxBytes
  }

  private func publish() throws(ShardError) {
    guard let writer else { return }
    published.append(try writer.finish())
    self.writer = nil
  }
}
