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
      case .tooManyPixels: .tooManyPixels
      case .sideTooLong: .sideTooLong
      case .fileTooLarge: .tooLarge
      case .tooManyFrames: .tooManyFrames
      case .truncated: .truncated
      case .corrupt: .corrupt
      case .cannotEncode: .cannotEncode
      }
  }
}
