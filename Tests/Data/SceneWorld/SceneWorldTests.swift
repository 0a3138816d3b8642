import ImageCodec
import SceneWorld
import SeededRandom
import Testing

@Suite struct SceneWorldTests {
  @Test("The same seed and index give the same scene and the same bytes, others do not")
  func determinism() {
    for index in 0..<50 {
      let scene = SceneWorld.scene(seed: 7, index: index)
      #expect(scene == SceneWorld.scene(seed: 7, index: index))
      let picture = SceneWorld.render(scene, variation: 3)
      #expect(picture == SceneWorld.render(scene, variation: 3))
      #expect(picture != SceneWorld.render(scene, variation: 4))
    }
    let first = (0..<50).map { SceneWorld.scene(seed: 7, index: $0) }
    #expect(first != (0..<50).map { SceneWorld.scene(seed: 8, index: $0) })
  }

  @Test("192 distinct canonical captions, 160 of them of served combinations")
  func canonicalCaptions() {
    #expect(Set(SceneWorld.singleShapeCaptions).count == 192)
    #expect(SceneWorld.singleShapeCaptions.contains("image of a small red circle on the left"))
    #expect(SceneWorld.servedCombinations.count == 20)
    #expect(Set(SceneWorld.heldOutCombinations.map(\.colour)).count == 4)
    #expect(Set(SceneWorld.heldOutCombinations.map(\.kind)).count == 4)
  }

  @Test("No served scene holds a combination that is held out, and each served one occurs")
  func heldOut() {
    var seen: Set<SceneCombination> = []
    var counts = [0, 0, 0, 0]
    for index in 0..<10_000 {
      let scene = SceneWorld.scene(seed: 1, index: index)
      counts[scene.shapes.count] += 1
      seen.formUnion(scene.shapes.map(\.combination))
      #expect(scene.colours.count == scene.shapes.count)
    }
    #expect(seen == Set(SceneWorld.servedCombinations))
    // Five standard deviations of a binomial draw of 10,000 are 230.
    #expect(abs(counts[1] - 7000) < 230 && abs(counts[2] - 2000) < 200)
  }

  @Test("Evaluation pictures hold only what they are asked for, each with its own caption")
  func evaluation() {
    for heldOut in [false, true] {
      let pictures = SceneWorld.evaluationPictures(count: 320, seed: 5, heldOut: heldOut)
      #expect(pictures.count == 320)
      for picture in pictures {
        #expect(
          SceneWorld.heldOutCombinations.contains(picture.shape.combination) == heldOut)
        #expect(SceneWorld.singleShapes[picture.captionIndex] == picture.shape)
      }
      #expect(Set(pictures.map(\.captionIndex)).count == (heldOut ? 32 : 160))
      #expect(Set(pictures.map(\.image.pixels)).count == 320)
    }
  }

  @Test("A mismatch has as many shapes, no colour in common, and a kind of its own")
  func mismatches() {
    for index in 0..<2000 {
      let scene = SceneWorld.scene(seed: 2, index: index)
      let other = SceneWorld.mismatch(for: scene, seed: 2, index: index)
      #expect(other.shapes.count == scene.shapes.count)
      #expect(Set(other.shapes.map(\.colour)).isDisjoint(with: scene.shapes.map(\.colour)))
      #expect(other.shapes.contains { !scene.shapes.map(\.kind).contains($0.kind) })
      #expect(!other.sharesTruth(with: scene) && scene.sharesTruth(with: scene))
      // No colour agrees, and not every kind.
      #expect(scene.similarity(to: other) < 0.75)
      #expect(scene.similarity(to: scene) == 1)
      #expect(Set(scene.captions).isDisjoint(with: other.captions))
    }
  }

  @Test("Similarity counts equal attributes under the best pairing")
  func similarity() {
    let ground = [0.5, 0.5, 0.5]
    let circle = SceneShape(size: .small, colour: .red, kind: .circle, position: .left)
    let square = SceneShape(size: .large, colour: .blue, kind: .square, position: .right)
    var bigger = circle
    bigger.size = .large
    let one = Scene(shapes: [circle], background: ground)
    #expect(one.similarity(to: Scene(shapes: [bigger], background: ground)) == 0.75)
    #expect(one.similarity(to: Scene(shapes: [square], background: ground)) == 0)
    let two = Scene(shapes: [circle, square], background: ground)
    #expect(two.similarity(to: Scene(shapes: [square, circle], background: ground)) == 1)
    #expect(one.similarity(to: two) == 0.5 && two.similarity(to: one) == 0.5)
  }

  @Test("Noise has mean 0 and the stated deviation")
  func noise() {
    let ground = Scene(
      shapes: [SceneShape(size: .small, colour: .red, kind: .circle, position: .left)],
      background: [0.5, 0.5, 0.5])
    var sum = 0.0
    var squares = 0.0
    var count = 0.0
    for variation in 0..<64 {
      let picture = SceneWorld.render(ground, variation: UInt64(variation))
      for y in 0..<32 {
        for x in 20..<32 {
          for channel in 0..<3 {
            let difference = Double(picture.pixels[(y * 32 + x) * 3 + channel]) - 127.5
            sum += difference
            squares += difference * difference
            count += 1
          }
        }
      }
    }
    // 73,728 draws with σ = 12.75: the mean's own deviation is 0.047, the deviation's 0.033.
    #expect(abs(sum / count) < 0.25)
    #expect(abs((squares / count).squareRoot() - 12.75) < 0.2)
  }
}
