/// What a picture's header declares.
public struct ImageHeader: Sendable, Equatable {
  public var format: ImageFormat
  /// Pixels per row; at least 1.
  public var width: Int
  /// Rows; at least 1.
  public var height: Int
  /// 1, or the frames of an animation: those that the file's structure shows.
  public var frames: Int
  /// Whether some pixel may be transparent, by what the header says.
  public var hasAlpha: Bool

  public init(
    format: ImageFormat, width: Int, height: Int, frames: Int = 1, hasAlpha: Bool = false
  ) {
    self.format = format
    self.width = width
    self.height = height
    self.frames = frames
    self.hasAlpha = hasAlpha
  }
}
