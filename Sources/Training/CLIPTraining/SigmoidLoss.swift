package import Collectives
import Glibc
package import TensorEngine

/// SigLIP's loss over a global batch, split over ranks without approximation.
///
/// With z_ij = s·⟨I_i, T_j⟩ + b and y_ij = 1 for i = j, else −1, the loss is
/// L = 1/N·Σ_ij log(1 + e^{−y_ij·z_ij}) and ∂L/∂z_ij = −y_ij·σ(−y_ij·z_ij)/N. A rank owns the rows and the columns
/// of its pairs and needs all features (one all-gather), nothing else: no sum runs over a whole row.
///
/// - Source: Zhai et al. 2023 (arXiv:2303.15343), equation 1; open_clip's `SigLipLoss`.
package enum SigmoidLoss {
  /// - Parameters:
  ///   - images: `[B, D]`, rows of length one; B may differ between ranks.
  ///   - texts: `[B, D]`, rows of length one.
  ///   - scale: s = e^{logit_scale}.
  ///   - bias: b.
  ///   - group: The ranks; own pairs follow those of lower ranks.
  /// - Returns: Shares, which sum to loss and gradients over the ranks.
  /// - Throws: ``CollectiveError``.
  package static func evaluate(
    images: Tensor, texts: Tensor, scale: Float, bias: Float, in group: ProcessGroup
  ) throws -> PairLoss {
    let all = try GatheredFeatures(images, texts, in: group)
    let (batch, total) = (images.shape[0], all.images.shape[0])
    var rows = Tensor.matmul(images, all.texts, transposeB: true, alpha: scale)
    var columns = Tensor.matmul(texts, all.images, transposeB: true, alpha: scale)
    var (loss, scaleGradient, biasGradient, correct) = (0.0, 0.0, 0.0, 0)
    let share = 1 / Float(total)
    rows.withMutableSpan { span in
      for row in 0..<batch {
        let own = all.first + row
        let match = span[row * total + own]
        var isNearest = true
        for column in 0..<total {
          let place = row * total + column
          let similarity = span[place]
          if column != own, similarity >= match { isNearest = false }
          let (value, slope) = term(similarity + bias, matches: column == own)
          loss += value
          scaleGradient += slope * Double(similarity)
          biasGradient += slope
          span[place] = Float(slope) * share
        }
        if isNearest { correct += 1 }
      }
    }
    columns.withMutableSpan { span in
      for column in 0..<batch {
        for row in 0..<total {
          let place = column * total + row
          span[place] =
            Float(term(span[place] + bias, matches: row == all.first + column).slope) * share
        }
      }
    }
    return PairLoss(
      loss: Float(loss / Double(total)),
      imageGradient: .matmul(rows, all.texts, alpha: scale),
      textGradient: .matmul(columns, all.images, alpha: scale),
      logScaleGradient: Float(scaleGradient / Double(total)),
      logBiasGradient: Float(biasGradient / Double(total)),
      accuracyShare: Float(correct) / Float(total), batchShare: Float(batch) / Float(total))
  }

  /// log(1 + e^{−y·z}) and its derivative by z.
  private static func term(_ z: Float, matches: Bool) -> (value: Double, slope: Double) {
    let x = matches ? -Double(z) : Double(z)
    // e^{−|x|} never overflows.
    let small = exp(-abs(x))
    let sigmoid = x >= 0 ? 1 / (1 + small) : small / (1 + small)
    return (max(x, 0) + log1p(small), matches ? -sigmoid : sigmoid)
  }
}
