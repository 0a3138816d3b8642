import PerceptualHash
import PictureIndex
import SeededRandom

/// The index in a few lines of arrays, to compare with.
struct NaiveIndex {
  var batches: [(batch: Int, entries: [PictureEntry])] = []
  var entries: [PictureEntry] { batches.flatMap(\.entries) }

  func matches(of key: UInt64, radius: Int) -> [PictureMatch] {
    entries.enumerated().compactMap { position, entry in
      guard let signature = entry.signature else { return nil }
      let distance = (signature.key ^ key).nonzeroBitCount
      return distance <= radius
        ? PictureMatch(position: position, distance: distance) : nil
    }
  }
}

/// Entries that share digests, rows and looks now and then.
enum SomeEntries {
  static func signature(_ random: inout RandomStream) -> PictureSignature? {
    var bytes = (0..<PictureSignature.byteCount).map { _ in UInt8(truncatingIfNeeded: random.next())
    }
    // Half of them crowd around a few keys.
    if random.integer(below: 2) == 0 {
      for index in 0..<8 { bytes[index] = UInt8(1 << random.integer(below: 2)) }
    }
    bytes[8] &= 1  // whether it is flat
    let signature = PictureSignature(bytes: bytes)
    precondition(signature != nil, "nothing would be searched for")
    return signature
  }

  static func make(_ count: Int, _ random: inout RandomStream) -> [PictureEntry] {
    (0..<count).map { index in
      let isKnown = random.integer(below: 4) == 0
      let digest = Name128(
        high: isKnown ? UInt64(random.integer(below: 5)) : random.next(),
        low: isKnown ? UInt64(random.integer(below: 3)) : random.next())
      return PictureEntry(
        uid: Name128(high: random.next(), low: UInt64(index)),
        row: random.integer(below: 10) == 0 ? -1 : random.integer(below: 1 << 40),
        digest: random.integer(below: 5) == 0 ? nil : digest,
        signature: random.integer(below: 5) == 0 ? nil : signature(&random))
    }
  }
}
