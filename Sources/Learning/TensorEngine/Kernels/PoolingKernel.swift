extension Tensor {
  /// The mean of each window of `size` × `size` pixels, `stride` apart; what is left over at the right and
  /// at the bottom is not seen.
  ///
  /// - Returns: `[B, H', W', C]` from `[B, H, W, C]`, H' = (H − size) / stride + 1.
  public func averagePooled(_ size: Int, stride: Int) -> Tensor {
    let window = poolingWindow(shape, size, stride)
    let columns = window.channels
    var result = Tensor(
      uninitialized: [window.batch, window.outputHeight, window.outputWidth, columns])
    let (x, y, share) = (floats, result.mutableFloats, 1 / Float(size * size))
    let grain = max(1, elementwiseGrain / max(1, columns * size * size))
    TensorThreads.split(window.places, grain: grain) { range in
      for place in range {
        let corner = window.corner(place)
        eachLane(of: 0..<columns) { index in
          var sum = SIMD8<Float>.zero
          for row in 0..<size {
            for column in 0..<size {
              sum += x[lanes: corner &+ (row &* window.width &+ column) &* columns &+ index]
            }
          }
          y[lanes: place * columns + index] = sum * share
        } tail: { index, width in
          for lane in index..<index + width {
            var sum: Float = 0
            for row in 0..<size {
              for column in 0..<size {
                sum += x[corner + (row * window.width + column) * columns + lane]
              }
            }
            y[place * columns + lane] = sum * share
          }
        }
      }
    }
    return result
  }

  /// The gradient of `averagePooled` with respect to the picture, which has the shape `shape`.
  public static func averagePoolGradient(
    _ gradient: Tensor, shape: [Int], size: Int, stride: Int
  ) -> Tensor {
    let window = poolingWindow(shape, size, stride)
    let columns = window.channels
    var result = Tensor(shape: shape)
    let (dy, dx, share) = (gradient.floats, result.mutableFloats, 1 / Float(size * size))
    let perPicture = window.outputHeight * window.outputWidth
    // Windows overlap inside a picture only.
    TensorThreads.split(window.batch, grain: 1) { pictures in
      for place in pictures.lowerBound * perPicture..<pictures.upperBound * perPicture {
        let corner = window.corner(place)
        for row in 0..<size {
          for column in 0..<size {
            let target = corner + (row * window.width + column) * columns
            eachLane(of: 0..<columns) { index in
              dx[lanes: target + index] += dy[lanes: place * columns + index] * share
            } tail: { index, width in
              for lane in index..<index + width {
                dx[target + lane] += dy[place * columns + lane] * share
              }
            }
          }
        }
      }
    }
    return result
  }
}

private func poolingWindow(_ shape: [Int], _ size: Int, _ stride: Int) -> ConvolutionWindow {
  precondition(shape.count == 4, "averagePool2d: \(shape) is no [B, H, W, C]")
  return ConvolutionWindow(
    shape, [shape[3], shape[3], size, size], stride: stride, padding: 0, groups: 1)
}

extension ConvolutionWindow {
  /// Where the first pixel of the window at `place` lies, without padding.
  fileprivate func corner(_ place: Int) -> Int {
    let column = place % outputWidth * stride
    let row = place / outputWidth % outputHeight * stride
    return ((place / (outputWidth * outputHeight) * height + row) * width + column) * channels
  }
}
