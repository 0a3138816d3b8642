import PerceptualHash
import PictureIndex
import Synchronization
import WorkerThreads

/// Of each picture of a batch the best of those in an index that show the same.
///
/// Who shares a key is found at once and looked at only in blocks: what an index holds of a template that
/// thousands of pictures have is unpacked once for all that look like it, on all cores, and most pairs are
/// ruled out by a bound. The best is the least by difference, row and position, whoever finds it first.
struct BestLikes {
  struct Found: Sendable {
    var entry: PictureEntry
    var position: Int
    var distance: Int
    var difference: Int

    func isBetter(than other: Found?) -> Bool {
      guard let other else { return true }
      return (difference, entry.row, position)
        < (other.difference, other.entry.row, other.position)
    }
  }

  /// Pairs of a key and a match that are held at a time: 16 bytes each.
  private static let mostMatches = 4_000_000
  /// Keys that are looked for before it is known how many matches each has.
  private static let firstKeys = 32
  /// Candidates that are read from the index together.
  private static let candidatesAtOnce = 64 * SignatureBlock.most
  /// Comparisons of each candidate that are worth a bound.
  private static let oftenCompared = 100

  let index: PictureIndex
  let radius: Int
  let threads: Int
  /// Whether only entries of the same uid count.
  let sameUID: Bool

  /// - Parameter entries: What is looked for; those without a signature find nothing.
  /// - Returns: For each entry the best; nil where there is none.
  func best(of entries: [PictureEntry]) -> [Found?] {
    let searched = entries.indices.filter { entries[$0].signature != nil }
    let (places, candidates, pairs) = candidates(entries, searched)
    var best = [Found?](repeating: nil, count: entries.count)
    guard !places.isEmpty else { return best }
    let often = pairs >= Self.oftenCompared * candidates.count
    let queries = blocks(places.compactMap { entries[$0].signature }, isComparedOften: often)
    for start in stride(from: 0, to: candidates.count, by: Self.candidatesAtOnce) {
      let positions = candidates[start..<min(start + Self.candidatesAtOnce, candidates.count)]
      let read = positions.compactMap { position -> Candidate? in
        let entry = index.entry(at: position)
        return entry.signature.map { Candidate(position: position, entry: entry, signature: $0) }
      }
      let uids = places.map { entries[$0].uid }
      for (query, found) in search(queries, uids, read, isComparedOften: often)
      where found.isBetter(than: best[places[query]]) {
        best[places[query]] = found
      }
    }
    return best
  }

  private struct Candidate: Sendable {
    var position: Int
    var entry: PictureEntry
    var signature: PictureSignature
  }

  /// Which entries have anything near their key, what is near any, in order, and how many pairs that is.
  private func candidates(
    _ entries: [PictureEntry], _ searched: [Int]
  ) -> (places: [Int], candidates: [Int], pairs: Int) {
    // A bit for each entry of the index: lists of what thousands of pictures find would fill the memory.
    var marks = [UInt64](repeating: 0, count: (index.count + 63) / 64)
    var places: [Int] = []
    var pairs = 0
    var (start, size) = (0, Self.firstKeys)
    while start < searched.count {
      let chunk = searched[start..<min(start + size, searched.count)]
      let keys = chunk.compactMap { entries[$0].signature?.key }
      let matches = index.matches(of: keys, radius: radius, threads: threads)
      var found = 0
      for (place, matches) in zip(chunk, matches) where !matches.isEmpty {
        places.append(place)
        found += matches.count
        for match in matches { marks[match.position / 64] |= 1 << UInt64(match.position % 64) }
      }
      pairs += found
      start += chunk.count
      size = max(1, min(searched.count, Self.mostMatches / max(1, found / chunk.count)))
    }
    var candidates: [Int] = []
    for (word, mark) in marks.enumerated() where mark != 0 {
      var rest = mark
      while rest != 0 {
        candidates.append(64 * word + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
    return (places, candidates, pairs)
  }

  private func blocks(
    _ signatures: [PictureSignature], isComparedOften: Bool
  ) -> [SignatureBlock] {
    let size = SignatureBlock.most
    let count = (signatures.count + size - 1) / size
    let made = Mutex([SignatureBlock?](repeating: nil, count: count))
    Parallel.forEach(count, threads: threads) { number in
      let part = signatures[number * size..<min((number + 1) * size, signatures.count)]
      let block = SignatureBlock(Array(part), isComparedOften: isComparedOften)
      made.withLock { $0[number] = block }
    }
    return made.withLock { $0.compactMap { $0 } }
  }

  /// The best of some candidates, by query.
  private func search(
    _ queries: [SignatureBlock], _ uids: [Name128], _ candidates: [Candidate],
    isComparedOften: Bool
  ) -> [Int: Found] {
    let size = SignatureBlock.most
    let (radius, sameUID) = (radius, sameUID)
    let best = Mutex([Int: Found]())
    Parallel.forEach((candidates.count + size - 1) / size, threads: threads) { number in
      let first = number * size
      let part = candidates[first..<min(first + size, candidates.count)]
      let block = SignatureBlock(part.map(\.signature), isComparedOften: isComparedOften)
      var local: [Int: Found] = [:]
      for (queryBlock, query) in queries.enumerated() {
        query.forEachSame(
          as: block, radius: radius,
          where: { !sameUID || uids[queryBlock * size + $0] == candidates[first + $1].entry.uid }
        ) { place, candidate, distance, difference in
          let candidate = candidates[first + candidate]
          let found = Found(
            entry: candidate.entry, position: candidate.position, distance: distance,
            difference: difference)
          let place = queryBlock * size + place
          if found.isBetter(than: local[place]) { local[place] = found }
        }
      }
      guard !local.isEmpty else { return }
      best.withLock { best in
        for (query, found) in local where found.isBetter(than: best[query]) { best[query] = found }
      }
    }
    return best.withLock { $0 }
  }
}
