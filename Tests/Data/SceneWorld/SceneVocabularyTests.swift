import SceneWorld
import Testing

@Suite struct SceneVocabularyTests {
  @Test("every caption of every scene is known, captions of other things are not")
  func couldCaption() {
    for index in 0..<300 {
      for caption in SceneWorld.scene(seed: 77, index: index).captions {
        #expect(SceneWorld.couldCaption(caption))
      }
    }
    for caption in ["", "A photo of a cat on the left", "red wine", "圆 on the left"] {
      #expect(!SceneWorld.couldCaption(caption))
    }
  }
}
