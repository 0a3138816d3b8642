/// What a fuzzer feeds with bytes of its own making: each takes any bytes, and must return.
package enum ShardFuzz {
  /// Takes `bytes` as a shard, plain or compressed, without an index: scanned, then read in order and
  /// at random.
  ///
  /// - Returns: The pairs read; nil where the shard was refused with a ``ShardError``.
  @discardableResult
  package static func tar(_ bytes: [UInt8]) -> Int? { read(bytes, index: nil) }

  /// Takes `bytes` as a compressed shard whatever they begin with: the magic number of a frame of LZ4
  /// is put in front where it is missing.
  @discardableResult
  package static func lz4(_ bytes: [UInt8]) -> Int? {
    read(StreamDecoder.begins(bytes) ? bytes : [0x04, 0x22, 0x4D, 0x18] + bytes, index: nil)
  }

  /// Takes `bytes` as an index whose checksum is right, beside `shard`.
  ///
  /// - Returns: The pairs read; nil where the index or the shard was refused.
  @discardableResult
  package static func index(_ bytes: [UInt8], of shard: [UInt8] = []) -> Int? {
    guard let index = ShardIndex.decode(ShardIndex.sealed(bytes)) else { return nil }
    return read(shard, index: index)
  }

  private static func read(_ bytes: [UInt8], index: ShardIndex?) -> Int? {
    do {
      let reader = try ShardReader(
        path: "fuzz", memory: bytes, index: index, cache: FrameCache(budget: 4 << 20))
      var pairs = 0
      try reader.forEach { _ in pairs += 1 }
      for number in 0..<min(reader.count, 16) {
        _ = try reader.pair(at: number)
        _ = try reader.sample(at: number)
      }
      return pairs
    } catch is ShardError {
      return nil
    } catch {
      preconditionFailure("a reader threw \(error)")
    }
  }
}
