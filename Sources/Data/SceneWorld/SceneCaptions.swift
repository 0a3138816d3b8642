extension Scene {
  /// The caption that stands for the scene where there may be only one.
  public var canonicalCaption: String { captions[0] }

  /// All captions of the scene, the canonical one first; every one is true.
  ///
  /// Captions of one shape tell size, colour, kind and position. Captions of more shapes tell size,
  /// colour and kind of each, and some of them how the shapes lie to each other.
  public var captions: [String] {
    switch shapes.count {
    case 1: Self.captions(of: shapes[0])
    case 2: Self.captions(of: shapes[0], shapes[1])
    default: Self.captions(of: shapes[0], shapes[1], shapes[2])
    }
  }

  private static func captions(of shape: SceneShape) -> [String] {
    let thing = shape.withArticle
    let place = shape.position.place
    let side = shape.position.rawValue
    return [
      "image of \(thing) \(place)",
      "\(thing) \(place)",
      "there is \(thing) at the \(side) side",
      "\(place), \(thing)",
      "a picture of \(thing) near the \(side) edge",
      "\(shape.words), \(side)",
    ]
  }

  private static func captions(of a: SceneShape, _ b: SceneShape) -> [String] {
    let first = a.withArticle
    let second = b.withArticle
    let (forth, back) = a.position.relation(to: b.position)
    return [
      "image of \(first) and \(second)",
      "\(second) and \(first)",
      "\(first) \(forth) \(second)",
      "\(second) \(back) \(first)",
      "there is \(first) \(forth) \(second)",
      "a picture with \(first) and \(second)",
    ]
  }

  private static func captions(of a: SceneShape, _ b: SceneShape, _ c: SceneShape) -> [String] {
    let first = a.withArticle
    let second = b.withArticle
    let third = c.withArticle
    let (forth, _) = a.position.relation(to: b.position)
    return [
      "image of \(first), \(second) and \(third)",
      "\(third), \(first) and \(second)",
      "three shapes: \(second), \(third) and \(first)",
      "\(first) \(forth) \(second), with \(third) \(c.position.place)",
      "there is \(third) \(c.position.place), and \(first) \(forth) \(second)",
    ]
  }
}

extension SceneShape {
  /// Size, colour and kind, as in `small red circle`.
  public var words: String { "\(size.rawValue) \(colour.rawValue) \(kind.rawValue)" }

  /// The words with their article; a size comes first, and both sizes take `a`.
  var withArticle: String { "a \(words)" }
}

extension ScenePosition {
  /// Where in the picture, for the four sides.
  var place: String {
    switch self {
    case .left: "on the left"
    case .right: "on the right"
    case .top: "at the top"
    case .bottom: "at the bottom"
    case .topLeft, .topRight, .bottomLeft, .bottomRight:
      preconditionFailure("no caption names the place of a shape in a corner")
    }
  }

  /// How a shape here lies to one at `other`, and the other way round.
  func relation(to other: ScenePosition) -> (forth: String, back: String) {
    let apart = other.centre - centre
    if abs(apart.x) > abs(apart.y) {
      return apart.x > 0 ? ("left of", "right of") : ("right of", "left of")
    }
    return apart.y > 0 ? ("above", "below") : ("below", "above")
  }
}
