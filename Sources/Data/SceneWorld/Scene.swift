/// The hues that a shape may have.
public enum SceneColour: String, CaseIterable, Codable, Sendable {
  case red, green, blue, yellow, purple, orange

  /// The colour before jitter: red, green, blue from 0 to 1.
  package var rgb: SIMD3<Double> {
    switch self {
    case .red: [0.86, 0.15, 0.15]
    case .green: [0.15, 0.66, 0.24]
    case .blue: [0.16, 0.30, 0.87]
    case .yellow: [0.95, 0.85, 0.14]
    case .purple: [0.57, 0.18, 0.70]
    case .orange: [0.97, 0.53, 0.09]
    }
  }
}

public enum SceneKind: String, CaseIterable, Codable, Sendable {
  case circle, square, triangle, cross
}

public enum SceneSize: String, CaseIterable, Codable, Sendable {
  case small, large

  /// Half the width of a shape before jitter, as a share of the picture's side.
  package var radius: Double { self == .small ? 3.6 / 32 : 6.0 / 32 }
}

/// Where a shape's middle lies; the corners occur in scenes of three shapes only.
public enum ScenePosition: String, CaseIterable, Codable, Sendable {
  case left, right, top, bottom
  case topLeft = "top_left"
  case topRight = "top_right"
  case bottomLeft = "bottom_left"
  case bottomRight = "bottom_right"

  /// The four places of a shape that is alone.
  public static let sides: [ScenePosition] = [.left, .right, .top, .bottom]

  /// The middle before jitter as shares of the picture's width and height, y downwards.
  package var centre: SIMD2<Double> {
    let near = 8.5 / 32
    let far = 23.5 / 32
    return switch self {
    case .left: [near, 0.5]
    case .right: [far, 0.5]
    case .top: [0.5, near]
    case .bottom: [0.5, far]
    case .topLeft: [near, near]
    case .topRight: [far, near]
    case .bottomLeft: [near, far]
    case .bottomRight: [far, far]
    }
  }
}

/// What a shape looks like, wherever it lies: the unit that is served or held out.
public struct SceneCombination: Hashable, Codable, Sendable {
  public var colour: SceneColour
  public var kind: SceneKind

  public init(_ colour: SceneColour, _ kind: SceneKind) {
    self.colour = colour
    self.kind = kind
  }
}

public struct SceneShape: Hashable, Codable, Sendable {
  public var size: SceneSize
  public var colour: SceneColour
  public var kind: SceneKind
  public var position: ScenePosition

  public init(size: SceneSize, colour: SceneColour, kind: SceneKind, position: ScenePosition) {
    self.size = size
    self.colour = colour
    self.kind = kind
    self.position = position
  }

  public var combination: SceneCombination { SceneCombination(colour, kind) }
}

/// One to three shapes of different colours on a plain ground.
///
/// A scene is what its captions can tell; ``SceneWorld/render(_:size:variation:)`` adds what they
/// cannot (exact places and sizes, noise). Scenes are made by ``SceneWorld``.
public struct Scene: Equatable, Codable, Sendable {
  /// In reading order of the captions: in a pair in a row or column the left or upper one is first.
  public var shapes: [SceneShape]
  /// The ground: red, green, blue from 0 to 1; grey, now and then with a faint tint.
  public var background: [Double]

  public init(shapes: [SceneShape], background: [Double]) {
    precondition(
      (1...3).contains(shapes.count), "a scene has 1 to 3 shapes, not \(shapes.count)")
    precondition(background.count == 3, "a ground has 3 channels, not \(background.count)")
    self.shapes = shapes
    self.background = background
  }

  public var colours: Set<SceneColour> { Set(shapes.map(\.colour)) }
  public var kinds: Set<SceneKind> { Set(shapes.map(\.kind)) }

  /// How much of what captions tell is common to both scenes, from 0 to 1.
  ///
  /// The share of equal attributes (colour, kind, size, position) under the best pairing of shapes,
  /// counted over the scene with more shapes. 1 means that the same captions fit.
  public func similarity(to other: Scene) -> Double {
    let (few, many) =
      shapes.count <= other.shapes.count ? (shapes, other.shapes) : (other.shapes, shapes)
    return Double(Self.mostCommon(few[...], many)) / Double(4 * many.count)
  }

  /// Whether something that a caption says of one scene is to be seen in the other.
  ///
  /// True when a colour occurs in both, or when all kinds of the one occur in the other. A caption
  /// taken from a scene that shares no truth is wrong about every shape's colour, and names a kind
  /// that is not there.
  public func sharesTruth(with other: Scene) -> Bool {
    !colours.isDisjoint(with: other.colours) || kinds.isSubset(of: other.kinds)
      || other.kinds.isSubset(of: kinds)
  }

  /// The most attributes in common when each shape of `few` takes its own partner in `many`.
  private static func mostCommon(_ few: ArraySlice<SceneShape>, _ many: [SceneShape]) -> Int {
    guard let first = few.first else { return 0 }
    var best = 0
    for (index, partner) in many.enumerated() {
      var rest = many
      rest.remove(at: index)
      best = max(best, common(first, partner) + mostCommon(few.dropFirst(), rest))
    }
    return best
  }

  private static func common(_ a: SceneShape, _ b: SceneShape) -> Int {
    (a.colour == b.colour ? 1 : 0) + (a.kind == b.kind ? 1 : 0) + (a.size == b.size ? 1 : 0)
      + (a.position == b.position ? 1 : 0)
  }
}
