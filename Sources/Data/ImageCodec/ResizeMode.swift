import Glibc

/// img2dataset's ways to bring pictures to a size.
public enum ResizeMode: String, Codable, Sendable, CaseIterable {
  /// As it is.
  case no
  /// The long side becomes the size; white fills up to a square.
  case border
  /// The short side becomes the size.
  case keepRatio = "keep_ratio"
  /// The long side becomes the size.
  case keepRatioLargest = "keep_ratio_largest"
  /// The short side becomes the size; the middle square is kept.
  case centerCrop = "center_crop"
}

extension ResizeMode {
  /// The sides that a picture is brought to before anything is cut off or filled up.
  ///
  /// - Parameters:
  ///   - width: Of the original.
  ///   - height: Of the original.
  ///   - size: At least 1.
  ///   - onlyIfBigger: Whether a picture that is not larger than the size stays as it is.
  /// - Returns: The sides, rounded half to even, at least 1; the original's where nothing is done.
  public func scaledSize(
    width: Int, height: Int, size: Int, onlyIfBigger: Bool
  ) -> (width: Int, height: Int) {
    precondition(size > 0, "a size of \(size)")
    let side: Int
    switch self {
    case .no: return (width, height)
    case .keepRatio, .centerCrop: side = min(width, height)
    case .border, .keepRatioLargest: side = max(width, height)
    }
    if onlyIfBigger && side <= size { return (width, height) }
    let scale = Double(size) / Double(side)
    return (
      max(1, Int((Double(width) * scale).rounded(.toNearestOrEven))),
      max(1, Int((Double(height) * scale).rounded(.toNearestOrEven)))
    )
  }
}

extension RGBImage {
  /// The picture as img2dataset gives it out, in size; shrunk by `box`, enlarged by `lanczos`.
  ///
  /// Sides are rounded half to even and are at least 1. What is cut off or filled up in odd number
  /// is one more at the right and the bottom.
  /// Source: img2dataset/resizer.py over albumentations' SmallestMaxSize, LongestMaxSize, CenterCrop
  /// and PadIfNeeded.
  ///
  /// - Parameters:
  ///   - mode: Which side becomes the size, and what follows.
  ///   - size: At least 1.
  ///   - onlyIfBigger: Whether a picture that is not larger than the size stays as it is, without
  ///     border and without crop.
  /// - Returns: The new picture, or this one where there is nothing to do.
  public func resized(mode: ResizeMode, size: Int, onlyIfBigger: Bool = false) -> RGBImage {
    let side: Int
    switch mode {
    case .no: return self
    case .keepRatio, .centerCrop: side = min(width, height)
    case .border, .keepRatioLargest: side = max(width, height)
    }
    if onlyIfBigger && side <= size { return self }
    let (newWidth, newHeight) = mode.scaledSize(
      width: width, height: height, size: size, onlyIfBigger: onlyIfBigger)
    let filter: ResampleFilter = side > size ? .box : .lanczos
    if mode == .centerCrop {
      let (left, top) = ((newWidth - size) / 2, (newHeight - size) / 2)
      return resized(
        box: (0, 0, Double(width), Double(height)), width: newWidth, height: newHeight,
        filter: filter, columns: left..<left + size, rows: top..<top + size)
    }
    let scaled = resized(width: newWidth, height: newHeight, filter: filter)
    return mode == .border
      ? scaled.padded(
        left: (size - newWidth) / 2, top: (size - newHeight) / 2, width: size, height: size)
      : scaled
  }
}
