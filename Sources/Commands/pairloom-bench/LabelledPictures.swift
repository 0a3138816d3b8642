import DecodeStage
import DurableFiles
import PerceptualHash
import PipelineCore
import WorkerThreads

/// A picture of which is known whose version it is.
struct LabelledPicture {
  var path: String
  /// The picture that it was made of; itself for an original.
  var origin: String
  /// `original`, or what was done to it.
  var kind: String
  /// The originals that its author marks as near each other by nature, and as look-alikes.
  var naturalGroup: String?
  var lookalikeGroup: String?

  /// What a copy must survive: the kinds that recall and precision go by.
  static let targetKinds: Set = ["original", "reencode", "resize", "brightness"]

  var isTarget: Bool { Self.targetKinds.contains(kind) }

  /// Half of all originals with all their versions: what a threshold was chosen by, or what it is checked with.
  var isFirstHalf: Bool { origin.utf8.reduce(0) { $0 + Int($1) } % 2 == 0 }

  /// The pictures of a folder with `corpus/captions.jsonl` and `variants/variants.jsonl`, in their order.
  static func all(in folder: String) throws -> [LabelledPicture] {
    let originals = try JSONLines.read(folder + "/corpus/captions.jsonl") { row in
      row["path"]?.text.map {
        LabelledPicture(
          path: folder + "/corpus/" + $0, origin: $0, kind: "original",
          naturalGroup: row["natural_group"]?.text, lookalikeGroup: row["lookalike_group"]?.text)
      }
    }
    let groups = Dictionary(originals.map { ($0.origin, $0) }) { first, _ in first }
    let variants = try JSONLines.read(folder + "/variants/variants.jsonl") { row in
      guard let path = row["path"]?.text, let origin = row["of"]?.text,
        let kind = row["kind"]?.text
      else { return LabelledPicture?.none }
      return LabelledPicture(
        path: folder + "/variants/" + path, origin: origin, kind: kind,
        naturalGroup: groups[origin]?.naturalGroup, lookalikeGroup: groups[origin]?.lookalikeGroup)
    }
    return originals + variants
  }

  /// The signature of each picture as the decode stage makes it; nil for what is no picture.
  static func signatures(of pictures: [LabelledPicture]) throws -> [PictureSignature?] {
    let examiner = PictureExaminer(worker: nil)
    var signatures: [PictureSignature?] = []
    // Some at a time, so that not all files are in memory.
    for start in stride(from: 0, to: pictures.count, by: 256) {
      let bodies = try pictures[start..<min(start + 256, pictures.count)].map {
        try DurableFile.read($0.path)
      }
      let results = try examiner.examine(bodies, threads: Parallel.coreCount)
      signatures += results.map { result in
        if case .success(let picture) = result { return picture.signature }
        return nil  // a file that does not decode has no duplicates
      }
    }
    return signatures
  }
}

/// Two pictures that are copies of one, or that a search takes for such.
struct LabelledPair {
  enum Truth {
    case same
    /// Of two originals that are near each other by nature, which may be called copies or not.
    case natural
    /// Of two originals that look alike and differ: flags of one scheme, emoji of several skins.
    case lookalike
    case different
  }

  var first: Int
  var second: Int
  var truth: Truth
  var distance: Int
  var difference: Int
  /// Whether the one is a flat picture and the other is not.
  var isMixed: Bool

  func isCandidate(_ radius: Int) -> Bool { !isMixed && distance <= radius }

  func isFound(_ radius: Int, _ most: Int) -> Bool { isCandidate(radius) && difference <= most }

  /// The pairs of one origin, and all others within a radius.
  static func all(
    among pictures: [LabelledPicture], _ signatures: [PictureSignature?], radius: Int
  ) -> [LabelledPair] {
    let keys = signatures.map { $0?.key ?? 0 }
    var pairs: [LabelledPair] = []
    for second in pictures.indices {
      guard let signature = signatures[second] else { continue }
      for first in 0..<second {
        let isSame = pictures[first].origin == pictures[second].origin
        guard (keys[first] ^ keys[second]).nonzeroBitCount <= radius || isSame,
          let other = signatures[first]
        else { continue }
        let truth = truth(pictures[first], pictures[second])
        pairs.append(
          LabelledPair(
            first: first, second: second, truth: truth, distance: signature.distance(to: other),
            difference: signature.difference(from: other),
            isMixed: signature.isFlat != other.isFlat))
      }
    }
    return pairs
  }

  private static func truth(_ a: LabelledPicture, _ b: LabelledPicture) -> Truth {
    if a.origin == b.origin { return .same }
    if let group = a.naturalGroup, group == b.naturalGroup { return .natural }
    if let group = a.lookalikeGroup, group == b.lookalikeGroup { return .lookalike }
    return .different
  }
}
