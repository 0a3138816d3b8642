/// What a picture's header declares.
public struct ImageHeader: Sendable, Equatable {
  public var format: ImageFormat
  /// Pixels per row; at least 1.
  public var width: Int
  /// Rows; at least 1.
  public var height: Int

  public init(format: ImageFormat, width: Int, height: Int) {
    self.format = format
    self.width = width
    self.height = height
  }
}
