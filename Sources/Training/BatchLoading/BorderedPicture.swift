import ImageCodec

extension ImagePreprocessing {
  /// The long side at ``size``, and borders of ``fillColor`` beside the short one.
  ///
  /// - Returns: `size` × `size` pixels.
  /// - Source: open_clip `ResizeKeepRatio` and `CenterCropOrPad`: sides are rounded half to even, the
  ///   odd pixel of the borders is at the right and at the bottom. Where the short side would vanish,
  ///   which Pillow refuses, it has one pixel.
  func bordered(_ picture: FilePicture) -> RGBImage {
    let ratio = Double(max(picture.width, picture.height)) / Double(size)
    func scaled(_ side: Int) -> Int {
      min(size, max(1, Int((Double(side) / ratio).rounded(.toNearestOrEven))))
    }
    let resized = picture.resized(
      width: scaled(picture.width), height: scaled(picture.height), filter: filter
    ).rgb
    if resized.width == size && resized.height == size { return resized }
    let (left, top) = ((size - resized.width) / 2, (size - resized.height) / 2)
    let border = picture.border(fillColor)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(size * size * 3)
    for _ in 0..<size * size { pixels += [border.x, border.y, border.z] }
    for row in 0..<resized.height {
      let (from, to) = (row * resized.width * 3, ((top + row) * size + left) * 3)
      pixels.replaceSubrange(
        to..<to + resized.width * 3, with: resized.pixels[from..<from + resized.width * 3])
    }
    return RGBImage(width: size, height: size, pixels: pixels)
  }
}
