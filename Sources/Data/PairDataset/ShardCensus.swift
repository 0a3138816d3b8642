import FoundationEssentials

/// Which samples of a WebDataset tar are pairs, as its headers tell.
package struct ShardCensus: Sendable {
  /// Gives the pairs by their numbers.
  package let reader: ShardReader
  /// The numbers of those with a caption, or with what may hold one.
  package let captioned: [Int]
  /// Samples with no picture of a known kind.
  package private(set) var withoutPicture = 0
  /// Pictures with nothing that could hold a caption.
  package var withoutCaption: Int { reader.count - captioned.count }

  /// Endings that hold a caption, in the order in which they are looked at; JSON has it by name.
  static let captionEndings = ["txt", "txt.gz", "caption", "text", "json", "json.gz"]

  /// Reads the headers of a shard once, or its index where one stands beside it, which knows of pictures only.
  ///
  /// - Parameters:
  ///   - path: A tar, plain or compressed.
  ///   - cache: Keeps frames, with those of other shards.
  /// - Throws: As ``ShardReader``; `repeatedKey` where two samples have one name.
  package init(path: String, cache: FrameCache) throws(ShardError) {
    let source = try ShardFile(path)
    if let index = try ShardReader.index(beside: path), index.fileSize == source.size {
      reader = try ShardReader(source, memory: nil, index: index, cache: cache)
      captioned = Array(0..<reader.count)
    } else {
      var (numbers, pictures, others): ([Int], Int, Int) = ([], 0, 0)
      let index = try ShardScan.index(of: source) { sample in
        let suffixes = sample.members.map(\.suffix)
        guard suffixes.contains(where: SampleGrouping.imageExtensions.contains) else {
          others += 1
          return
        }
        if suffixes.contains(where: Self.captionEndings.contains) { numbers.append(pictures) }
        pictures += 1
      }
      reader = try ShardReader(source, memory: nil, index: index, cache: cache)
      (captioned, withoutPicture) = (numbers, others)
    }
    var seen: Set<String> = Set(minimumCapacity: reader.count)
    for entry in reader.index.entries where !seen.insert(entry.key).inserted {
      throw ShardError(.repeatedKey(entry.key), shard: path, offset: entry.start)
    }
  }
}

extension ShardReader {
  /// The pair at `index` with the caption that WebDatasets of any maker give it.
  ///
  /// The caption is the `.txt`, else the `.caption` or `.text`, else `caption` of the JSON, as img2dataset
  /// writes it.
  ///
  /// - Returns: Nil where there is none of these.
  /// - Throws: As ``pair(at:)``.
  package func captionedPair(at index: Int) throws(ShardError) -> Pair? {
    let sample = try members(at: index, readsAll: false)
    guard var pair = try SampleAssembler.pair(sample, path: path) else {
      throw stale(self.index.entries[index])
    }
    if pair.hasText { return pair }
    let text =
      sample.members.first { $0.suffix == "caption" }
      ?? sample.members.first { $0.suffix == "text" }
    guard
      let caption = text.map({ String(decoding: $0.payload, as: UTF8.self) })
        ?? Self.caption(in: pair.metadata)
    else { return nil }
    (pair.caption, pair.hasText) = (caption, true)
    return pair
  }

  private struct Described: Decodable {
    var caption: String?
  }

  private static func caption(in metadata: [UInt8]) -> String? {
    guard !metadata.isEmpty else { return nil }
    // What is no JSON, or has another kind of caption, has none: the caller tells of it.
    return (try? JSONDecoder().decode(Described.self, from: Data(metadata)))?.caption
  }
}
