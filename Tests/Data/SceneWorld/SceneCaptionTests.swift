import ImageCodec
import SceneWorld
import Testing

@Suite struct SceneCaptionTests {
  @Test("Every caption says of the picture only what its pixels show, and names each shape")
  func captionsAgreeWithPictures() throws {
    var relations = 0
    for index in 0..<400 {
      let scene = SceneWorld.scene(seed: 11, index: index)
      // Drawn large, so that shapes can be measured.
      let picture = SceneWorld.render(scene, size: 128, variation: UInt64(index))
      for caption in scene.captions {
        let claims = CaptionClaims(caption)
        #expect(claims.things.count == scene.shapes.count, "\(caption)")
        for thing in claims.things {
          let seen = try #require(SeenShape(thing.colour, in: picture), "\(index): \(caption)")
          #expect(seen.size == thing.size, "\(index): \(caption)")
          #expect(seen.kind == thing.kind, "\(index): \(caption)")
          if let side = thing.side { #expect(seen.side == side, "\(index): \(caption)") }
        }
        if scene.shapes.count == 1 { #expect(claims.things.first?.side != nil) }
        if let relation = claims.relation {
          relations += 1
          let first = try #require(SeenShape(relation.first, in: picture))
          let second = try #require(SeenShape(relation.second, in: picture))
          let holds =
            switch relation.words {
            case "left": first.x < second.x - 0.2
            case "right": first.x > second.x + 0.2
            case "above": first.y < second.y - 0.2
            default: first.y > second.y + 0.2
            }
          #expect(holds, "\(index): \(caption)")
        }
      }
    }
    #expect(relations > 200)
  }

  @Test("The other scene's captions say something false of the picture")
  func mismatchesAreFalse() {
    for index in 0..<200 {
      let scene = SceneWorld.scene(seed: 11, index: index)
      let other = SceneWorld.mismatch(for: scene, seed: 11, index: index)
      let picture = SceneWorld.render(scene, size: 128, variation: UInt64(index))
      for thing in CaptionClaims(other.canonicalCaption).things {
        #expect(SeenShape(thing.colour, in: picture) == nil, "\(index): \(other.canonicalCaption)")
      }
    }
  }

  @Test("Captions come in several phrasings, in lower case and plain words")
  func phrasings() {
    for index in 0..<300 {
      let captions = SceneWorld.scene(seed: 3, index: index).captions
      #expect(Set(captions).count == captions.count && captions.count >= 5)
      #expect(captions.allSatisfy { $0.allSatisfy { $0.isLowercase || " ,:".contains($0) } })
    }
  }
}
