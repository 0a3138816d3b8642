package import Collectives
import Glibc
package import TensorEngine

/// The symmetric cross-entropy over a global batch, split over ranks without approximation.
///
/// With S = s·I·Tᵀ over all N pairs, r_i and c_j the log-sum-exp of row i and column j, the loss is
/// L = 1/(2N)·Σ_i (r_i + c_i − 2·S_ii) and ∂L/∂S_ij = G_ij = (e^{S_ij−r_i} + e^{S_ij−c_j} − 2δ_ij)/(2N).
/// A rank owns the rows R of its pairs. It needs all features (one all-gather), then the r and c of all
/// (another); feature gradients are never exchanged. What ranks return sums to loss and gradient.
///
/// - Source: Radford et al. 2021 (arXiv:2103.00020), figure 3; Chen et al. 2023 (DisCo-CLIP,
///   arXiv:2304.08480) for the split.
package enum ContrastiveLoss {
  /// - Parameters:
  ///   - images: `[B, D]`, rows of length one; B may differ between ranks.
  ///   - texts: `[B, D]`, rows of length one.
  ///   - scale: s = e^{logit_scale}.
  ///   - group: The ranks; own pairs follow those of lower ranks.
  /// - Returns: Shares, which sum to loss and gradients over the ranks.
  /// - Throws: ``CollectiveError``.
  package static func evaluate(
    images: Tensor, texts: Tensor, scale: Float, in group: ProcessGroup
  ) throws -> PairLoss {
    let batch = images.shape[0]
    let all = try GatheredFeatures(images, texts, in: group)
    let (allImages, allTexts, first) = (all.images, all.texts, all.first)
    let total = allImages.shape[0]
    // Own rows of S, and own columns as rows.
    var rows = Tensor.matmul(images, allTexts, transposeB: true, alpha: scale)
    var columns = Tensor.matmul(texts, allImages, transposeB: true, alpha: scale)
    let ownSums = logSumExp(rows) + logSumExp(columns)
    var rowSums: [Float] = []
    var columnSums: [Float] = []
    for part in try group.allGather(ownSums) {
      rowSums += part.prefix(part.count / 2)
      columnSums += part.suffix(part.count / 2)
    }
    var loss = 0.0
    var scaleGradient = 0.0
    var correct = 0
    let half = 1 / Float(2 * total)
    rows.withMutableSpan { span in
      for row in 0..<batch {
        let own = first + row
        let match = span[row * total + own]
        loss += Double(rowSums[own]) + Double(columnSums[own]) - 2 * Double(match)
        var isNearest = true
        for column in 0..<total {
          let similarity = span[row * total + column]
          // Another caption as near does not tell the pair apart: features that collapse score 0.
          if column != own, similarity >= match { isNearest = false }
          var g = exp(similarity - rowSums[own]) + exp(similarity - columnSums[column])
          if column == own { g -= 2 }
          scaleGradient += Double(g) * Double(similarity)
          span[row * total + column] = g * half
        }
        if isNearest { correct += 1 }
      }
    }
    columns.withMutableSpan { span in
      for column in 0..<batch {
        let own = first + column
        for row in 0..<total {
          let similarity = span[column * total + row]
          var g = exp(similarity - rowSums[row]) + exp(similarity - columnSums[own])
          if row == own { g -= 2 }
          span[column * total + row] = g * half
        }
      }
    }
    return PairLoss(
      loss: Float(loss / Double(2 * total)),
      imageGradient: .matmul(rows, allTexts, alpha: scale),
      textGradient: .matmul(columns, allImages, alpha: scale),
      logScaleGradient: Float(scaleGradient / Double(2 * total)),
      accuracyShare: Float(correct) / Float(total), batchShare: Float(batch) / Float(total))
  }

  /// log Σ_j e^{x_ij} of each row; subtracting the maximum keeps e^{100} out of Float.
  private static func logSumExp(_ matrix: Tensor) -> [Float] {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    return matrix.withSpan { span in
      (0..<rows).map { row in
        var top = -Float.infinity
        for column in 0..<columns { top = max(top, span[row * columns + column]) }
        var sum = 0.0
        for column in 0..<columns { sum += Double(exp(span[row * columns + column] - top)) }
        return top + Float(log(sum))
      }
    }
  }
}
