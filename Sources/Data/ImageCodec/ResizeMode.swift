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
    guard let side = side(width: width, height: height) else { return (width, height) }
    if onlyIfBigger && side <= size { return (width, height) }
    let scale = Double(size) / Double(side)
    return (
      max(1, Int((Double(width) * scale).rounded(.toNearestOrEven))),
      max(1, Int((Double(height) * scale).rounded(.toNearestOrEven)))
    )
  }

  /// The side that becomes the size, none for `no`.
  func side(width: Int, height: Int) -> Int? {
    switch self {
    case .no: nil
    case .keepRatio, .centerCrop: min(width, height)
    case .border, .keepRatioLargest: max(width, height)
    }
  }
}

/// Which filter makes the pixels of a resize, by the way it goes.
public struct ResizeFilters: Sendable, Equatable, Codable {
  /// Where the side that becomes the size is larger than the size.
  public var downscale: ResampleFilter
  /// Where it is not.
  public var upscale: ResampleFilter

  /// `box` costs least, and averages as `area` does; `lanczos` is img2dataset's choice by name.
  public init(downscale: ResampleFilter = .box, upscale: ResampleFilter = .lanczos) {
    self.downscale = downscale
    self.upscale = upscale
  }

  /// What img2dataset takes by default; its `lanczos` is OpenCV's of eight taps, this one Pillow's
  /// of six.
  public static let img2dataset = ResizeFilters(downscale: .area, upscale: .lanczos)
}

extension RGBImage {
  /// The picture as img2dataset gives it out, in size.
  ///
  /// Sides are rounded half to even and are at least 1. What is cut off or filled up in odd number
  /// is one more at the right and the bottom. Boxes are blurred after resizing, before anything is
  /// cut off or filled up.
  /// Source: img2dataset/resizer.py over albumentations' SmallestMaxSize, LongestMaxSize, CenterCrop
  /// and PadIfNeeded.
  ///
  /// - Parameters:
  ///   - mode: Which side becomes the size, and what follows.
  ///   - size: At least 1.
  ///   - onlyIfBigger: Whether a picture that is not larger than the size stays as it is, without
  ///     border and without crop.
  ///   - filters: How pixels are made.
  ///   - original: The sides of the whole picture where this one was decoded smaller: every size
  ///     goes by them.
  ///   - boxes: What is blurred, see ``blurred(boxes:)``.
  /// - Returns: The new picture, or this one where there is nothing to do.
  public func resized(
    mode: ResizeMode, size: Int, onlyIfBigger: Bool = false,
    filters: ResizeFilters = ResizeFilters(), of original: (width: Int, height: Int)? = nil,
    blurring boxes: [BlurBox] = []
  ) -> RGBImage {
    let (fullWidth, fullHeight) = original ?? (width, height)
    let target = mode.scaledSize(
      width: fullWidth, height: fullHeight, size: size, onlyIfBigger: onlyIfBigger)
    let side = mode.side(width: fullWidth, height: fullHeight) ?? 0
    let filter = side > size ? filters.downscale : filters.upscale
    let staysAsItIs = mode == .no || (onlyIfBigger && side <= size)
    let box = box(of: (fullWidth, fullHeight))
    if mode == .centerCrop && !staysAsItIs && boxes.isEmpty {
      let (left, top) = ((target.width - size) / 2, (target.height - size) / 2)
      return resized(
        box: box, width: target.width, height: target.height, filter: filter,
        columns: left..<left + size, rows: top..<top + size)
    }
    let scaled = resized(box: box, width: target.width, height: target.height, filter: filter)
      .blurred(boxes: boxes)
    if staysAsItIs { return scaled }
    switch mode {
    case .centerCrop:
      return scaled.cropped(
        left: (target.width - size) / 2, top: (target.height - size) / 2, width: size,
        height: size)
    case .border:
      return scaled.padded(
        left: (size - target.width) / 2, top: (size - target.height) / 2, width: size,
        height: size)
    case .no, .keepRatio, .keepRatioLargest: return scaled
    }
  }

  /// Where the whole picture of `original`'s sides lies in this one.
  ///
  /// A JPEG decoded at n/8 has its sides rounded up: the last column and the last row stand for
  /// pixels of which some were never there. Pillow hands the same box to its resampler after
  /// `draft`. A picture made smaller in any other way is taken as a whole.
  func box(
    of original: (width: Int, height: Int)
  ) -> (left: Double, top: Double, right: Double, bottom: Double) {
    for eighths in stride(from: 8, through: 1, by: -1)
    where (original.width * eighths + 7) / 8 == width
      && (original.height * eighths + 7) / 8 == height
    {
      return (0, 0, Double(original.width * eighths) / 8, Double(original.height * eighths) / 8)
    }
    return (0, 0, Double(width), Double(height))
  }
}
