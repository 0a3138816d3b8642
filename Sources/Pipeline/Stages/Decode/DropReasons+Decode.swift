public import ImageCodec
public import PipelineCore

extension DropReason {
  /// The word for bytes that are no usable picture.
  public init(_ error: ImageError) {
    self =
      switch error {
      case .empty: .empty
      case .notAnImage: .notAnImage
      case .unsupportedFormat: .unsupportedFormat
      case .tooManyPixels, .sideTooLong: .tooManyPixels
      case .fileTooLarge: .tooLarge
      case .tooManyFrames: .unsupportedFormat
      case .truncated: .truncated
      case .corrupt: .corrupt
      case .cannotEncode: .cannotEncode
      }
  }
}
