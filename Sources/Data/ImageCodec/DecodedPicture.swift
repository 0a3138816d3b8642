/// A picture, and what its file declares of it.
public struct DecodedPicture: Sendable {
  /// The pixels, upright where the settings say so.
  ///
  /// Smaller than `width` × `height` where a JPEG was decoded at a smaller scale: each side is then
  /// `ceil(side * n / 8)`.
  public var image: RGBImage
  /// Columns of the full picture, after orientation; what sizes and resize modes go by.
  public var width: Int
  /// Rows of the full picture, after orientation.
  public var height: Int
  public var format: ImageFormat

  public init(image: RGBImage, width: Int, height: Int, format: ImageFormat) {
    self.image = image
    self.width = width
    self.height = height
    self.format = format
  }
}
