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
  let (q, k, v) = (
    AttentionColumns(input), AttentionColumns(input, column: width),
    AttentionColumns(input, column: 2 * width)
  )
  let (y, weights) = Tensor.attention(
    q, k, v, width: width, layout: layout, keepsWeights: recordsGraph([qkv]))
  return Variable(result: y, of: [qkv]) { dy in
    guard let weights else { return }
    var gradients = [Tensor(uninitialized: input.shape)]
    Tensor.attentionGradient(
      dy, weights: weights, q, k, v, width: width, layout: layout, into: &gradients,
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
  let (queries, keys, values) = (
    AttentionColumns(q.value), AttentionColumns(keysAndValues.value),
    AttentionColumns(keysAndValues.value, column: width)
  )
  precondition(
    keysAndValues.value.columns == 2 * width,
    "attention: queries \(q.shape) with keys and values \(keysAndValues.shape)")
  let (y, weights) = Tensor.attention(
    queries, keys, values, width: width, layout: layout,
    keepsWeights: recordsGraph([q, keysAndValues]))
  return Variable(result: y, of: [q, keysAndValues]) { dy in
    guard let weights else { return }
    var gradients = [q, keysAndValues].map { Tensor(uninitialized: $0.shape) }
    Tensor.attentionGradient(
      dy, weights: weights, queries, keys, values, width: width, layout: layout, into: &gradients,
      places: (0, 1, 1))
    q.accumulate(gradients[0])
    keysAndValues.accumulate(gradients[1])
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
  let columns = (AttentionColumns(q.value), AttentionColumns(k.value), AttentionColumns(v.value))
  let (y, weights) = Tensor.attention(
    columns.0, columns.1, columns.2, width: width, layout: layout,
    keepsWeights: recordsGraph([q, k, v]))
  return Variable(result: y, of: [q, k, v]) { dy in
    guard let weights else { return }
    var gradients = [q, k, v].map { Tensor(uninitialized: $0.shape) }
    Tensor.attentionGradient(
      dy, weights: weights, columns.0, columns.1, columns.2, width: width, layout: layout,
      into: &gradients, places: (0, 1, 2))
    q.accumulate(gradients[0])
    k.accumulate(gradients[1])
    v.accumulate(gradients[2])
  }
}
