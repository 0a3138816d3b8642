import Deduplication
import DurableFiles
import Foundation
import PairDataset
import PerceptualHash
import PictureIndex
import SeededRandom
import ShardDeduplication
import Testing

@Suite struct DuplicatePlanTests {
  /// In three lines: an earlier picture that stays and is near takes a later one.
  private func leaders(
    _ signatures: [PictureSignature], _ isSame: (PictureSignature, PictureSignature) -> Bool
  ) -> Int {
    var stay: [PictureSignature] = []
    for mine in signatures where !stay.contains(where: { isSame($0, mine) }) { stay.append(mine) }
    return stay.count
  }

  /// Signatures around a few centres, some equal, chains among them.
  static func signatures(_ count: Int, seed: UInt64) -> [PictureSignature] {
    var random = RandomStream(seed: seed)
    var made: [PictureSignature] = []
    while made.count < count {
      var bytes =
        made.isEmpty || random.uniform() < 0.3
        ? (0..<PictureSignature.byteCount).map { _ in UInt8(random.integer(below: 256)) }
        : made[random.integer(below: made.count)].bytes
      bytes[8] = bytes[8] % 8 == 1 ? 1 : 0
      for _ in 0..<random.integer(below: 6) {
        bytes[random.integer(below: 8)] ^= 1 << UInt8(random.integer(below: 8))
      }
      for _ in 0..<random.integer(below: 3) {
        bytes[9 + random.integer(below: bytes.count - 9)] ^= 1 << UInt8(random.integer(below: 8))
      }
      if let signature = PictureSignature(bytes: bytes) { made.append(signature) }
    }
    return made
  }

  @Test("the counts at every radius are those of comparing all with all", arguments: 0..<6)
  func radii(seed: UInt64) throws {
    let signatures = Self.signatures(250, seed: seed)
    let counted = try RadiusCounts.count(signatures, highest: 12, threads: 2)
    #expect(counted.map(\.radius) == Array(0...12))
    for radius in counted {
      let byKey = leaders(signatures) { $0.distance(to: $1) <= radius.radius }
      let confirmed = leaders(signatures) { $0.isSamePicture(as: $1, radius: radius.radius) }
      // Else the check would not be looked at.
      if radius.radius == 12 { #expect(confirmed > byKey && confirmed < 250) }
      #expect(radius.byKey == 250 - byKey && radius.confirmed == 250 - confirmed, "\(radius)")
    }
  }

  @Test("a plan drops nothing, leaves nothing, and tells what the command then does")
  func plan() throws {
    let world = try DuplicateWorld(500, seed: 21)
    defer { try? FileManager.default.removeItem(atPath: world.folder) }
    let shards = try world.shards(of: 200)
    let options = ShardDeduplicationTests.options()
    let plan = try DuplicatePlanner.plan(shards, out: nil, options: options)
    #expect(plan.pairs == 500)
    #expect(plan.undecoded == world.kinds.count { $0 == .cut })
    #expect(plan.sameBytes == 500 - world.keptByBytes.count)
    #expect(plan.dropped == ["duplicate_bytes": plan.sameBytes])
    // Copies in other encodings are near, pictures of their own are not.
    let copies = world.kinds.count { if case .encoding = $0 { true } else { false } }
    #expect(plan.radii[6].confirmed == copies)
    #expect(try DurableFile.names(in: world.folder) == ["source"])
    // With a folder, what was seen is of use to the command.
    let out = world.folder + "/out"
    let kept = try DuplicatePlanner.plan(shards, out: out, options: options)
    #expect(kept == plan)
    var looked = 0
    let outcome = try ShardDeduplicator.deduplicate(shards, to: out, options: options) { step in
      if case .examined = step { looked += 1 }
    }
    #expect(looked == 0)
    #expect(outcome.dropped == plan.dropped)
  }
}
