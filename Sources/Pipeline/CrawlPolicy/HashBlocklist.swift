internal import DurableFiles

/// A set of MD5 and SHA-256 digests of files that must not be taken, such as known abuse material.
///
/// Sorted arrays of 16 and 32 bytes an entry: 16 million SHA-256 digests take 512 MB, also while
/// they are read and sorted. A question is a binary search.
public struct HashBlocklist: Sendable {
  private var md5: [SIMD2<UInt64>] = []
  private var sha256: [SIMD4<UInt64>] = []

  public init() {}

  /// Reads a digest in hexadecimal a line; `#` begins a comment, and empty lines are passed over.
  ///
  /// - Throws: `CrawlPolicyError` with the line's number for a line that is no digest.
  public init(text: [UInt8], name: String) throws(CrawlPolicyError) {
    var reader = DigestReader(name: name)
    reserve(textBytes: text.count, start: text[...])
    append(try reader.digests(in: text[...], isLast: true))
    sort()
  }

  /// Reads a file of digests in pieces of 1 MiB, as `init(text:name:)` does.
  public init(path: String) throws(CrawlPolicyError) {
    var reader = DigestReader(name: path)
    var offset = 0
    while true {
      let piece: [UInt8]
      do {
        piece = try DurableFile.read(path, count: 1 << 20, at: offset)
        if offset == 0 { reserve(textBytes: try DurableFile.size(of: path), start: piece[...]) }
      } catch {
        throw CrawlPolicyError(.file(error), list: path)
      }
      offset += piece.count
      append(try reader.digests(in: piece[...], isLast: piece.isEmpty))
      if piece.isEmpty { break }
    }
    sort()
  }

  /// How many digests there are, repeated ones included.
  public var count: Int { md5.count + sha256.count }

  /// Whether it has MD5 digests, which are then worth computing.
  public var hasMD5: Bool { md5.count > 0 }

  /// Whether a digest of 16 or 32 bytes is on the list.
  public func contains(_ digest: [UInt8]) -> Bool {
    guard digest.count == 16 || digest.count == 32 else { return false }
    var words = SIMD4<UInt64>.zero
    for (index, byte) in digest.enumerated() {
      words[index >> 3] = words[index >> 3] << 8 | UInt64(byte)
    }
    return contains(ReadDigest(words: words, isSHA256: digest.count == 32))
  }

  /// Whether a digest of 32 or 64 hexadecimal digits is on the list.
  public func contains(hex: String) -> Bool {
    DigestReader.digest(Array(hex.utf8)[...]).map(contains) ?? false
  }

  private func contains(_ digest: ReadDigest) -> Bool {
    digest.isSHA256
      ? DigestOrder.contains(sha256, digest.words)
      : DigestOrder.contains(md5, digest.words.lowHalf)
  }

  /// Makes room for all entries at once: growth by doubling would need twice the memory.
  private mutating func reserve(textBytes: Int, start: ArraySlice<UInt8>) {
    let lines = start.prefix(1 << 16).split(separator: 0x0A).prefix(100)
    let longest = lines.map { $0.prefix { $0.hexDigit != nil }.count }.max() ?? 0
    if longest == 64 { sha256.reserveCapacity(textBytes / 65 + 1) }
    if longest == 32 { md5.reserveCapacity(textBytes / 33 + 1) }
  }

  private mutating func append(_ digests: [ReadDigest]) {
    for digest in digests {
      if digest.isSHA256 {
        sha256.append(digest.words)
      } else {
        md5.append(digest.words.lowHalf)
      }
    }
  }

  private mutating func sort() {
    DigestOrder.sort(&md5)
    DigestOrder.sort(&sha256)
  }
}

/// Sorts and searches digests, whose bits are as good as random, by their bytes' order.
private enum DigestOrder {
  static func precedes<V: SIMD<UInt64> & SendableMetatype>(_ a: V, _ b: V) -> Bool {
    for index in 0..<V.scalarCount where a[index] != b[index] { return a[index] < b[index] }
    return false
  }

  static func contains<V: SIMD<UInt64> & SendableMetatype>(_ sorted: [V], _ digest: V) -> Bool {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if precedes(sorted[middle], digest) { low = middle + 1 } else { high = middle }
    }
    return low < sorted.count && sorted[low] == digest
  }

  /// In place: the standard sort wants room for half the array besides.
  ///
  /// Digests are first moved to the bucket of their top 16 bits (American flag sort), then each
  /// bucket, 256 of 16 million, is sorted by itself.
  static func sort<V: SIMD<UInt64> & SendableMetatype>(_ digests: inout [V]) {
    guard digests.count > 1 << 16 else { return digests.sort(by: precedes) }
    var ends = [Int](repeating: 0, count: 1 << 16)
    for digest in digests { ends[Int(digest[0] >> 48)] += 1 }
    var next = [Int](repeating: 0, count: 1 << 16)
    for bucket in 1..<(1 << 16) {
      next[bucket] = ends[bucket - 1]
      ends[bucket] += ends[bucket - 1]
    }
    for bucket in 0..<(1 << 16) {
      while next[bucket] < ends[bucket] {
        let home = Int(digests[next[bucket]][0] >> 48)
        if home != bucket { digests.swapAt(next[bucket], next[home]) }
        next[home] += 1
      }
    }
    var start = 0
    for end in ends {
      if end - start > 1 {
        let bucket = digests[start..<end].sorted(by: precedes)
        for (index, digest) in bucket.enumerated() { digests[start + index] = digest }
      }
      start = end
    }
  }
}
