/// A picture in the colours of its file, to be resized in them and turned into RGB afterwards.
///
/// That is the order of open_clip's evaluation and of transformers': Pillow's `resize` works on what `open`
/// gives, and `convert("RGB")` comes last. For RGB and grey the order makes no difference.
public struct FilePicture: Sendable {
  enum Content {
    /// RGB, or grey of up to 8 bits.
    case plain(RGBImage)
    /// Of a palette: its colours, and those of the palette one after the other.
    case indexed(RGBImage, palette: [UInt8])
    /// Black and white of one bit.
    case bilevel(RGBImage)
    /// The second picture has the alpha of each pixel, three times.
    case alpha(RGBImage, alpha: RGBImage)
    /// Cyan, magenta and yellow; the second picture has black, three times.
    case inks(RGBImage, black: RGBImage)
    case deepGrey(DeepGreyImage)
  }

  let content: Content

  init(_ content: Content) { self.content = content }

  /// A picture without any of this.
  public init(_ image: RGBImage) { content = .plain(image) }

  public var width: Int {
    if case .deepGrey(let image) = content { image.width } else { colours.width }
  }

  public var height: Int {
    if case .deepGrey(let image) = content { image.height } else { colours.height }
  }

  /// The layer that all but 16-bit grey have.
  private var colours: RGBImage {
    switch content {
    case .plain(let image), .indexed(let image, _), .bilevel(let image), .alpha(let image, _),
      .inks(let image, _):
      image
    case .deepGrey(let image): image.rgb
    }
  }

  /// Pillow's `Image.resize`, bit for bit.
  ///
  /// Palettes and single bits know no colours between theirs: of them the nearest pixel is taken whatever the
  /// filter. Colours are weighted by their alpha. Grey of 16 bits is resized in 16 bits.
  ///
  /// - Parameters:
  ///   - width: Of the result, at least 1.
  ///   - height: Of the result, at least 1.
  ///   - filter: Neither `nearest` nor `area`.
  /// - Returns: `width` × `height` pixels.
  public func resized(width: Int, height: Int, filter: ResampleFilter) -> FilePicture {
    precondition(filter != .nearest && filter != .area, "colours of a file resized by \(filter)")
    // A copy: not even alpha is multiplied in and divided out.
    if width == self.width && height == self.height { return self }
    func resized(_ image: RGBImage, _ filter: ResampleFilter) -> RGBImage {
      image.resized(width: width, height: height, filter: filter)
    }
    return switch content {
    case .plain(let image): FilePicture(resized(image, filter))
    case .indexed(let image, let palette):
      FilePicture(.indexed(resized(image, .nearest), palette: palette))
    case .bilevel(let image): FilePicture(.bilevel(resized(image, .nearest)))
    case .alpha(let image, let alpha):
      FilePicture(Self.withAlpha(image, alpha, filter, resized))
    case .inks(let image, let black):
      FilePicture(.inks(resized(image, filter), black: resized(black, filter)))
    case .deepGrey(let image):
      FilePicture(.deepGrey(image.resized(width: width, height: height, filter: filter)))
    }
  }

  /// By way of Pillow's modes `RGBa` and `La`, whose colours are multiplied by alpha.
  private static func withAlpha(
    _ image: RGBImage, _ alpha: RGBImage, _ filter: ResampleFilter,
    _ resized: (RGBImage, ResampleFilter) -> RGBImage
  ) -> Content {
    let newAlpha = resized(alpha, filter)
    let multiplied = image.combined(with: alpha) { colour, alpha in
      colour.multiplied(by: alpha)
    }
    let divided = resized(multiplied, filter).combined(with: newAlpha) { colour, alpha in
      if alpha == 0 || alpha == 255 { return colour }
      return UInt8(min(255, 255 * UInt32(colour) / UInt32(alpha)))
    }
    return .alpha(divided, alpha: newAlpha)
  }

  /// The rectangle of `width` × `height` pixels from (`left`, `top`), which must lie inside, in RGB.
  public func croppedRGB(left: Int, top: Int, width: Int, height: Int) -> RGBImage {
    func cropped(_ image: RGBImage) -> RGBImage {
      image.cropped(left: left, top: top, width: width, height: height)
    }
    // Pillow converts after the crop; each pixel is converted for itself.
    return switch content {
    case .plain(let image), .indexed(let image, _), .bilevel(let image), .alpha(let image, _):
      cropped(image)
    case .inks(let image, let black): Self.light(cropped(image), under: cropped(black))
    case .deepGrey(let image): cropped(image.rgb)
    }
  }

  /// Pillow's `Image.crop`, of a rectangle that must lie inside: the colours stay those of the file.
  public func cropped(left: Int, top: Int, width: Int, height: Int) -> FilePicture {
    if width == self.width && height == self.height { return self }
    func cropped(_ image: RGBImage) -> RGBImage {
      image.cropped(left: left, top: top, width: width, height: height)
    }
    return switch content {
    case .plain(let image): FilePicture(cropped(image))
    case .indexed(let image, let palette): FilePicture(.indexed(cropped(image), palette: palette))
    case .bilevel(let image): FilePicture(.bilevel(cropped(image)))
    case .alpha(let image, let alpha): FilePicture(.alpha(cropped(image), alpha: cropped(alpha)))
    case .inks(let image, let black): FilePicture(.inks(cropped(image), black: cropped(black)))
    case .deepGrey(let image):
      FilePicture(
        .deepGrey(image.cropped(left: left, top: top, width: width, height: height)))
    }
  }

  /// Bytes of its pixels in memory.
  public var byteCount: Int {
    let layers =
      switch content {
      case .plain, .indexed, .bilevel: 3
      case .alpha, .inks: 6
      case .deepGrey: 2
      }
    return width * height * layers
  }

  /// The whole picture as Pillow's `convert("RGB")` gives it.
  public var rgb: RGBImage { croppedRGB(left: 0, top: 0, width: width, height: height) }

  /// What becomes of borders that Pillow fills with `value` in every channel of the file: red, green, blue.
  public func border(_ value: UInt8) -> SIMD3<UInt8> {
    switch content {
    case .plain, .alpha, .deepGrey: return SIMD3(repeating: value)
    case .bilevel: return SIMD3(repeating: value == 0 ? 0 : 255)
    case .inks:
      let full = RGBImage(width: 1, height: 1, pixels: [value, value, value])
      return SIMD3(repeating: Self.light(full, under: full).pixels[0])
    case .indexed(_, let palette):
      let start = 3 * Int(value)
      guard start + 3 <= palette.count else { return .zero }
      return SIMD3(palette[start], palette[start + 1], palette[start + 2])
    }
  }

  /// Pillow's cmyk2rgb.
  private static func light(_ image: RGBImage, under black: RGBImage) -> RGBImage {
    image.combined(with: black) { ink, black in StoredPicture.light(ink, black) }
  }
}

extension RGBImage {
  /// Each channel with that of another picture of the same size.
  fileprivate func combined(
    with other: RGBImage, _ combine: (UInt8, UInt8) -> UInt8
  ) -> RGBImage {
    precondition(
      width == other.width && height == other.height,
      "layers of \(width)x\(height) and \(other.width)x\(other.height)")
    var result = self
    for index in result.pixels.indices {
      result.pixels[index] = combine(pixels[index], other.pixels[index])
    }
    return result
  }
}

extension UInt8 {
  /// Pillow's MULDIV255: `round(self * other / 255)`.
  fileprivate func multiplied(by other: UInt8) -> UInt8 {
    let product = UInt32(self) * UInt32(other) + 128
    return UInt8((product + product >> 8) >> 8)
  }
}
