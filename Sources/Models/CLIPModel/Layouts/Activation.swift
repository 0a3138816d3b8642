/// What the MLPs of a CLIP apply to their hidden values; no weight tells which.
public enum Activation: String, CaseIterable, Sendable {
  /// x·σ(1.702x): OpenAI's weights, and whatever open_clip calls `-quickgelu`.
  case quickGELU = "quick-gelu"
  /// The exact x·Φ(x): open_clip's own standard.
  case gelu

  public init(quick: Bool) { self = quick ? .quickGELU : .gelu }

  public var isQuick: Bool { self == .quickGELU }

  /// What the source text of a TorchScript archive says; nil if it says neither or both.
  init?(code: String) {
    let isQuick = code.contains("QuickGELU") || code.contains("1.702")
    let isExact = code.contains("torch.gelu(")
    guard isQuick != isExact else { return nil }
    self = isQuick ? .quickGELU : .gelu
  }
}
