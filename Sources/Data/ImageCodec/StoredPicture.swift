/// A picture as its file stores it: before profile, matte and orientation.
struct StoredPicture {
  enum Model {
    case grey, rgb
    /// Cyan, magenta, yellow, black; 255 is full ink.
    case inks
  }

  var width: Int
  var height: Int
  var model: Model
  var hasAlpha: Bool
  /// `height * width * channels` values.
  var pixels: [UInt8]

  init(_ image: RGBImage) {
    (width, height, model, hasAlpha) = (image.width, image.height, .rgb, false)
    pixels = image.pixels
  }

  init(width: Int, height: Int, model: Model, hasAlpha: Bool, pixels: [UInt8]) {
    self.width = width
    self.height = height
    self.model = model
    self.hasAlpha = hasAlpha
    self.pixels = pixels
  }

  static func channels(of model: Model, hasAlpha: Bool) -> Int {
    switch model {
    case .grey: hasAlpha ? 2 : 1
    case .rgb: hasAlpha ? 4 : 3
    case .inks: 4
    }
  }

  /// RGB pixels, alpha on white, for a picture whose colours need no profile.
  ///
  /// Inks go by Pillow's arithmetic: their own decoder does better, and this is for a profile that
  /// turned out useless after decoding.
  var image: RGBImage {
    if model == .rgb && !hasAlpha {
      return RGBImage(width: width, height: height, pixels: pixels)
    }
    let channels = Self.channels(of: model, hasAlpha: hasAlpha)
    let made = unsafe [UInt8](unsafeUninitializedCapacity: width * height * 3) { room, filled in
      for pixel in 0..<width * height {
        let at = pixel * channels
        let (red, green, blue) =
          switch model {
          case .grey: (pixels[at], pixels[at], pixels[at])
          case .rgb: (pixels[at], pixels[at + 1], pixels[at + 2])
          case .inks:
            (
              Self.light(pixels[at], pixels[at + 3]), Self.light(pixels[at + 1], pixels[at + 3]),
              Self.light(pixels[at + 2], pixels[at + 3])
            )
          }
        let alpha = hasAlpha ? pixels[at + channels - 1] : 255
        unsafe room[pixel * 3] = Self.onWhite(red, alpha)
        unsafe room[pixel * 3 + 1] = Self.onWhite(green, alpha)
        unsafe room[pixel * 3 + 2] = Self.onWhite(blue, alpha)
      }
      filled = width * height * 3
    }
    return RGBImage(width: width, height: height, pixels: made)
  }

  /// Pillow's cmyk2rgb, of one ink under black.
  static func light(_ ink: UInt8, _ black: UInt8) -> UInt8 {
    let white = UInt32(255 - black)
    let product = UInt32(ink) * white + 128
    return UInt8(white - ((product + product >> 8) >> 8))
  }

  /// `round((alpha * colour + (255 - alpha) * 255) / 255)`.
  static func onWhite(_ colour: UInt8, _ alpha: UInt8) -> UInt8 {
    let sum = UInt32(alpha) * UInt32(colour) + (255 - UInt32(alpha)) * 255 + 128
    return UInt8((sum + sum >> 8) >> 8)
  }
}
