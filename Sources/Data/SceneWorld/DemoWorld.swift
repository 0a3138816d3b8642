import SeededRandom

/// One row of the demo's list, with all that is true of it.
public struct DemoRow: Equatable, Sendable {
  /// The row's number from 0, which is also its `id` in the list.
  public var id: Int
  public var scene: Scene
  /// The caption in the list.
  public var caption: String
  /// Whether the caption is one of the scene's own.
  public var isMatched: Bool
  public var fault: DemoFault
  /// The row whose picture or URL this one repeats.
  public var duplicateOf: Int?
  public var format: DemoFormat
  /// The failures before the picture comes, for faults that heal.
  public var failuresBefore: Int
  /// The path that its URL names, `/pictures/000123.jpg`.
  public var path: String
}

/// The demo's list of pictures and captions, and the truth about each row.
///
/// A function of a number of rows and a seed: a process that knows both can serve it. Of 6,000 rows
/// 120 are missing, 120 heal, 60 are truncated, 60 corrupt, 60 pages, 120 repeat another's bytes and 60
/// another's URL; 15 % of the rows that end as pairs have a caption that is wrong.
public struct DemoWorld: Sendable {
  public let seed: UInt64
  public let rows: [DemoRow]

  /// The share of each fault among all rows.
  package static let faultShares: [(fault: DemoFault, share: Double)] = [
    (.missing, 0.02), (.heals500, 0.008), (.heals503, 0.008), (.heals429, 0.004),
    (.truncated, 0.01), (.corrupt, 0.01), (.wrongType, 0.01), (.duplicateBytes, 0.02),
    (.duplicateURL, 0.01),
  ]
  /// The share of wrong captions among the rows that end as pairs.
  package static let mismatchShare = 0.15
  /// The share of the formats among all rows.
  private static let formatShares: [(DemoFormat, Double)] = [
    (.jpeg, 0.6), (.png, 0.85), (.webp, 1),
  ]

  public init(rows count: Int, seed: UInt64) {
    self.seed = seed
    let purpose = SceneWorld.Purpose.demo.rawValue
    var random = RandomStream(seed: seed, path: purpose)
    let faults = Self.faults(count, &random)
    let sources = Self.duplicateSources(faults, &random)
    let pairs = random.permutation(of: count).filter { faults[$0].expected.isPair }
    let wrong = Set(pairs.prefix(Int((Double(pairs.count) * Self.mismatchShare).rounded())))

    rows = (0..<count).map { id in
      var random = RandomStream(seed: seed, path: purpose, UInt64(id))
      let draw = random.uniform()
      let source = sources[id]
      let scene = SceneWorld.scene(seed: seed, index: source ?? id)
      let told =
        wrong.contains(id) ? SceneWorld.mismatch(for: scene, seed: seed, index: id) : scene
      let captions = told.captions
      // Its own row's draw, so that a duplicate's format is its source's.
      let format = Self.format(of: source ?? id, seed: seed)
      let pathID = faults[id] == .duplicateURL ? source ?? id : id
      return DemoRow(
        id: id, scene: scene, caption: captions[random.integer(below: captions.count)],
        isMatched: !wrong.contains(id), fault: faults[id], duplicateOf: source, format: format,
        failuresBefore: Self.failures(faults[id], draw),
        path: "/pictures/\(Self.sixDigits(pathID)).\(format.fileExtension)")
    }
  }

  /// Exactly the shares of each fault, at random places; duplicates are never first.
  private static func faults(_ count: Int, _ random: inout RandomStream) -> [DemoFault] {
    var faults = [DemoFault](repeating: .none, count: count)
    var places = random.permutation(of: count)[...]
    // Row 0 stays whole: an early duplicate needs something to repeat.
    places.removeAll { $0 == 0 }
    for (fault, share) in faultShares {
      for _ in 0..<Int((Double(count) * share).rounded()) {
        if let place = places.popFirst() { faults[place] = fault }
      }
    }
    return faults
  }

  /// For each duplicate an earlier row without fault.
  private static func duplicateSources(
    _ faults: [DemoFault], _ random: inout RandomStream
  ) -> [Int?] {
    var whole: [Int] = []
    return faults.enumerated().map { id, fault in
      switch fault {
      case .none:
        whole.append(id)
        return nil
      case .duplicateBytes, .duplicateURL:
        return whole[random.integer(below: whole.count)]
      default:
        return nil
      }
    }
  }

  private static func failures(_ fault: DemoFault, _ draw: Double) -> Int {
    switch fault {
    case .heals429: 1
    case .heals500, .heals503: draw < 0.75 ? 1 : 2
    default: 0
    }
  }

  private static func format(of id: Int, seed: UInt64) -> DemoFormat {
    var random = RandomStream(seed: seed, path: SceneWorld.Purpose.demo.rawValue, UInt64(id), 1)
    let draw = random.uniform()
    return formatShares.first { draw < $0.1 }?.0 ?? .jpeg
  }

  package static func sixDigits(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }
}
