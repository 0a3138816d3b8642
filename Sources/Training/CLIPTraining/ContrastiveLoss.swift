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
package struct ContrastiveLoss {
  /// This rank's share of L.
  package var loss: Float
  /// ∂L/∂I for the own rows, `[B, D]`: complete, not a share.
  package var imageGradient: Tensor
  /// ∂L/∂T for the own rows, `[B, D]`: complete, not a share.
  package var textGradient: Tensor
  /// This rank's share of ∂L/∂(log s) = Σ_ij G_ij·S_ij.
  package var logScaleGradient: Float
  /// Own images whose own caption is the nearest of all N, divided by N.
  package var accuracyShare: Float
  /// B/N.
  package var batchShare: Float

  /// - Parameters:
  ///   - images: `[B, D]`, rows of length one; B may differ between ranks.
  ///   - texts: `[B, D]`, rows of length one.
  ///   - scale: s = e^{logit_scale}.
  ///   - group: The ranks; own pairs follow those of lower ranks.
  /// - Throws: ``CollectiveError``.
  package init(images: Tensor, texts: Tensor, scale: Float, in group: ProcessGroup) throws {
    let (batch, width) = (images.shape[0], images.shape[1])
    let (allImages, allTexts, first) = try Self.gather(images, texts, in: group)
    let total = allImages.shape[0]
    // Own rows of S, and own columns as rows.
    var rows = Tensor.matmul(images, allTexts, transposeB: true, alpha: scale)
    var columns = Tensor.matmul(texts, allImages, transposeB: true, alpha: scale)
    let ownSums = Self.logSumExp(rows) + Self.logSumExp(columns)
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
    precondition(width == allTexts.shape[1], "image width \(width), text \(allTexts.shape[1])")
    imageGradient = Tensor.matmul(rows, allTexts, alpha: scale)
    textGradient = Tensor.matmul(columns, allImages, alpha: scale)
    self.loss = Float(loss / Double(2 * total))
    logScaleGradient = Float(scaleGradient / Double(2 * total))
    accuracyShare = Float(correct) / Float(total)
    batchShare = Float(batch) / Float(total)
  }

  /// All ranks' features, `[N, D]` each, and the number of the first own row.
  ///
  /// One all-gather: 2·N·D·4 bytes arrive at each rank.
  private static func gather(
    _ images: Tensor, _ texts: Tensor, in group: ProcessGroup
  ) throws -> (images: Tensor, texts: Tensor, first: Int) {
    guard group.worldSize > 1 else { return (images, texts, 0) }
    let width = images.shape[1]
    var (allImages, allTexts): ([Float], [Float]) = ([], [])
    var first = 0
    for (rank, part) in try group.allGather(images.values + texts.values).enumerated() {
      if rank == group.rank { first = allImages.count / width }
      allImages += part.prefix(part.count / 2)
      allTexts += part.suffix(part.count / 2)
    }
    let shape = [allImages.count / width, width]
    return (Tensor(shape: shape, allImages), Tensor(shape: shape, allTexts), first)
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
