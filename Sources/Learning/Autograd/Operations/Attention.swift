import TensorEngine

/// Self-attention over packed sequences, from one tensor that holds queries, keys and values.
///
/// - Parameters:
///   - qkv: `[T, 3·D]`: columns of q, then k, then v, each with its heads side by side.
///   - lengths: The sequences' lengths, which stand one after the other: Σ lengths = T.
///   - heads: How many; scores are scaled by 1/√(D/heads).
///   - causal: Whether a row sees only itself and rows before it.
/// - Returns: `[T, D]`.
public func attention(_ qkv: Variable, lengths: [Int], heads: Int, causal: Bool) -> Variable {
  let input = qkv.value
  precondition(
    input.shape.count == 2 && input.shape[1] % (3 * heads) == 0,
    "attention: \(input.shape) is not [T, 3·D] with D a multiple of \(heads) heads")
  let width = input.shape[1] / 3
  let layout = AttentionLayout(
    heads: heads, queryLengths: lengths, keyLengths: lengths, causal: causal,
    scale: 1 / Float(width / heads).squareRoot())
  func columns(_ tensor: Tensor) -> [AttentionColumns] {
    (0..<3).map { AttentionColumns(tensor, column: $0 * width) }
  }
  let parts = columns(input)
  let y = Tensor.attention(parts[0], parts[1], parts[2], width: width, layout: layout)
  return Variable(result: y, of: [qkv]) { [qkv = qkv.target, kept = qkv.kept()] dy in
    let parts = columns(kept.restored())
    var gradients = [Tensor(uninitialized: qkv.shape)]
    Tensor.attentionGradient(
      dy, parts[0], parts[1], parts[2], width: width, layout: layout, into: &gradients,
      places: (0, 0, 0))
    qkv.accumulate(gradients[0])
  }
}

/// Attention of queries over the keys and values that one tensor holds.
///
/// - Parameters:
///   - q: `[ΣqueryLengths, D]`.
///   - keysAndValues: `[ΣkeyLengths, 2·D]`: columns of k, then v.
///   - queryLengths: The rows of q per sequence.
///   - keyLengths: The rows of keys and values per sequence.
///   - heads: How many; scores are scaled by 1/√(D/heads).
///   - causal: Whether the last query sees all keys, the one before it all but the last, and so on.
/// - Returns: `[ΣqueryLengths, D]`.
public func attention(
  _ q: Variable, keysAndValues: Variable, queryLengths: [Int], keyLengths: [Int], heads: Int,
  causal: Bool
) -> Variable {
  let width = q.value.columns
  let layout = AttentionLayout(
    heads: heads, queryLengths: queryLengths, keyLengths: keyLengths, causal: causal,
    scale: 1 / Float(width / heads).squareRoot())
  precondition(
    keysAndValues.value.columns == 2 * width,
    "attention: queries \(q.shape) with keys and values \(keysAndValues.shape)")
  func columns(_ q: Tensor, _ both: Tensor) -> [AttentionColumns] {
    [AttentionColumns(q), AttentionColumns(both), AttentionColumns(both, column: width)]
  }
  let parts = columns(q.value, keysAndValues.value)
  let y = Tensor.attention(parts[0], parts[1], parts[2], width: width, layout: layout)
  return Variable(result: y, of: [q, keysAndValues]) {
    [
      q = q.target, both = keysAndValues.target, keptQueries = q.kept(),
      keptBoth = keysAndValues.kept()
    ] dy in
    let parts = columns(keptQueries.restored(), keptBoth.restored())
    var gradients = [q, both].map { Tensor(uninitialized: $0.shape) }
    Tensor.attentionGradient(
      dy, parts[0], parts[1], parts[2], width: width, layout: layout, into: &gradients,
      places: (0, 1, 1))
    q.accumulate(gradients[0])
    both.accumulate(gradients[1])
  }
}

/// Attention of queries over the keys and values of other rows: cross-attention, or a cache of keys.
///
/// - Parameters:
///   - q: `[ΣqueryLengths, D]`.
///   - k: `[ΣkeyLengths, D]`.
///   - v: `[ΣkeyLengths, D]`.
///   - queryLengths: The rows of q per sequence.
///   - keyLengths: The rows of k and v per sequence.
///   - heads: How many; scores are scaled by 1/√(D/heads).
///   - causal: Whether the last query sees all keys, the one before it all but the last, and so on.
/// - Returns: `[ΣqueryLengths, D]`.
public func attention(
  _ q: Variable, _ k: Variable, _ v: Variable, queryLengths: [Int], keyLengths: [Int], heads: Int,
  causal: Bool
) -> Variable {
  let width = q.value.columns
  let layout = AttentionLayout(
    heads: heads, queryLengths: queryLengths, keyLengths: keyLengths, causal: causal,
    scale: 1 / Float(width / heads).squareRoot())
  let y = Tensor.attention(
    AttentionColumns(q.value), AttentionColumns(k.value), AttentionColumns(v.value), width: width,
    layout: layout)
  return Variable(result: y, of: [q, k, v]) {
    [
      targets = [q, k, v].map(\.target), kept = [q, k, v].map { $0.kept() }
    ] dy in
    let parts = kept.map { AttentionColumns($0.restored()) }
    var gradients = targets.map { Tensor(uninitialized: $0.shape) }
    Tensor.attentionGradient(
      dy, parts[0], parts[1], parts[2], width: width, layout: layout, into: &gradients,
      places: (0, 1, 2))
    for (target, gradient) in zip(targets, gradients) { target.accumulate(gradient) }
  }
}
