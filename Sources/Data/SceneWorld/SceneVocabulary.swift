extension SceneWorld {
  /// Every word that a caption of a scene can hold.
  static let vocabulary: Set<Substring> = {
    var words = Set<Substring>()
    for first in singleShapes {
      for caption in Scene(shapes: [first], background: [0, 0, 0]).captions {
        words.formUnion(Self.words(of: caption))
      }
    }
    // Captions of several shapes add the relations, which many draws bring up all.
    for index in 0..<500 {
      for caption in scene(seed: 0, index: index).captions {
        words.formUnion(Self.words(of: caption))
      }
    }
    return words
  }()

  /// Whether a caption holds no word but those of the scenes' grammar.
  public static func couldCaption(_ caption: String) -> Bool {
    let words = Self.words(of: caption)
    return !words.isEmpty && words.allSatisfy(vocabulary.contains)
  }

  private static func words(of caption: String) -> [Substring] {
    caption.lowercased().split { !$0.isLetter }
  }
}
