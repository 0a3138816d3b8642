public import ImageCodec
import SeededRandom

/// A small world of pictures and captions that are known to the last attribute.
///
/// Scenes of coloured shapes with captions from a small grammar: enough to train a CLIP in minutes,
/// and to know of every pair whether it matches. Four combinations of colour and kind are never
/// served, so that a model can be asked about what it has not seen. Everything is a function of a
/// seed and an index.
public enum SceneWorld {
  /// The combinations that no served scene holds: four colours and all four kinds, once each.
  public static let heldOutCombinations: [SceneCombination] = [
    SceneCombination(.red, .triangle), SceneCombination(.green, .cross),
    SceneCombination(.yellow, .square), SceneCombination(.purple, .circle),
  ]

  /// The 20 combinations that served scenes are made of.
  public static let servedCombinations: [SceneCombination] = SceneColour.allCases.flatMap {
    colour in SceneKind.allCases.map { SceneCombination(colour, $0) }
  }.filter { !heldOutCombinations.contains($0) }

  /// All 192 shapes that may be alone: 2 sizes × 6 colours × 4 kinds × 4 sides.
  public static let singleShapes: [SceneShape] = SceneSize.allCases.flatMap { size in
    SceneColour.allCases.flatMap { colour in
      SceneKind.allCases.flatMap { kind in
        ScenePosition.sides.map {
          SceneShape(size: size, colour: colour, kind: kind, position: $0)
        }
      }
    }
  }

  /// The canonical captions of ``singleShapes``, in their order.
  public static let singleShapeCaptions: [String] = singleShapes.map {
    Scene(shapes: [$0], background: [0.5, 0.5, 0.5]).canonicalCaption
  }

  /// What a random stream is for, so that streams of one seed never meet.
  enum Purpose: UInt64 { case serving = 1, mismatch, evaluation, heldOut, drawing, demo }

  /// The served scene number `index`: 70 % hold one shape, 20 % two, 10 % three.
  public static func scene(seed: UInt64, index: Int) -> Scene {
    var random = RandomStream(seed: seed, path: Purpose.serving.rawValue, UInt64(index))
    let draw = random.uniform()
    return scene(ofShapes: draw < 0.7 ? 1 : draw < 0.9 ? 2 : 3, &random)
  }

  /// A scene with as many shapes that shares no truth with `scene`.
  ///
  /// Its captions describe `scene` wrongly, see ``Scene/sharesTruth(with:)``.
  public static func mismatch(for scene: Scene, seed: UInt64, index: Int) -> Scene {
    var random = RandomStream(seed: seed, path: Purpose.mismatch.rawValue, UInt64(index))
    while true {
      // About one draw in 2 fits for one shape, one in 30 for three.
      let other = self.scene(ofShapes: scene.shapes.count, &random)
      if !scene.sharesTruth(with: other) { return other }
    }
  }

  private static func scene(ofShapes count: Int, _ random: inout RandomStream) -> Scene {
    let places = pick(layouts[count - 1], &random)
    var shapes: [SceneShape] = []
    while shapes.count < count {
      let combination = pick(servedCombinations, &random)
      if shapes.contains(where: { $0.colour == combination.colour }) { continue }
      shapes.append(
        SceneShape(
          size: pick(SceneSize.allCases, &random), colour: combination.colour,
          kind: combination.kind, position: places[shapes.count]))
    }
    return Scene(shapes: shapes, background: background(&random))
  }

  /// Where one, two and three shapes may lie; no two large shapes overlap.
  private static let layouts: [[[ScenePosition]]] = [
    ScenePosition.sides.map { [$0] },
    [[.left, .right], [.top, .bottom]],
    [
      [.topLeft, .topRight, .bottom], [.bottomLeft, .bottomRight, .top],
      [.topLeft, .bottomLeft, .right], [.topRight, .bottomRight, .left],
    ],
  ]

  /// A grey from 0.25 to 0.9; one in six has a faint tint.
  private static func background(_ random: inout RandomStream) -> [Double] {
    let grey = random.uniform(in: 0.25..<0.9)
    let tint = random.integer(below: 6) == 0 ? 0.06 : 0
    return (0..<3).map { _ in grey + random.uniform(in: -1..<1) * tint }
  }

  private static func pick<T>(_ choices: [T], _ random: inout RandomStream) -> T {
    choices[random.integer(below: choices.count)]
  }
}

/// A picture of one shape that was never served, and which of the 192 captions is its own.
public struct EvaluationPicture: Sendable {
  public var image: RGBImage
  public var shape: SceneShape
  /// The place of the true caption in ``SceneWorld/singleShapeCaptions``.
  public var captionIndex: Int
}

extension SceneWorld {
  /// Fresh renderings of single shapes, evenly over their captions in random order.
  ///
  /// - Parameters:
  ///   - count: The number of pictures.
  ///   - seed: Any seed; renderings never repeat a served one, whatever the seeds.
  ///   - heldOut: Whether to draw the combinations that are never served instead of those that are.
  ///   - size: Width and height in pixels.
  /// - Returns: The pictures; no caption comes twice before all came once.
  public static func evaluationPictures(
    count: Int, seed: UInt64, heldOut: Bool, size: Int = 32
  ) -> [EvaluationPicture] {
    let combinations = heldOut ? heldOutCombinations : servedCombinations
    let purpose: Purpose = heldOut ? .heldOut : .evaluation
    let found = singleShapes.indices.filter {
      combinations.contains(singleShapes[$0].combination)
    }
    var order = RandomStream(seed: seed, path: purpose.rawValue)
    let choices = order.permutation(of: found.count).map { found[$0] }
    return (0..<count).map { index in
      var random = RandomStream(seed: seed, path: purpose.rawValue, UInt64(index))
      let caption = choices[index % choices.count]
      let scene = Scene(shapes: [singleShapes[caption]], background: background(&random))
      return EvaluationPicture(
        image: render(scene, size: size, variation: random.next()),
        shape: singleShapes[caption], captionIndex: caption)
    }
  }
}
