/// What a score was computed in, by the word that tables have for it.
public enum ScoreKind: String, Sendable, Equatable {
  case int8, float32
}
