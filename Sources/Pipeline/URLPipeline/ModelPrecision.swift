/// What a model computes scores in, by the recipe's word.
public enum ModelPrecision: String, Sendable, CaseIterable {
  case float32
  /// Bytes, and Float for what lies near the cut: the decisions are those of Float.
  case int8
}
