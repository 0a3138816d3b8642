public import BatchLoading
public import ImageCodec

/// Why a picture has no features, in words for a person.
public struct PictureFault: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// Where files of pictures become the squares that an image tower takes.
///
/// Decoders are large C libraries whose input comes from strangers: a program decodes in processes of their own.
public protocol PictureSquares: Sendable {
  /// A square for each file, in order, or why it is no picture; blocks, and may be called from several threads.
  ///
  /// - Throws: What keeps every picture from being decoded, such as a process that does not start.
  func squares(of files: [[UInt8]]) throws -> [Result<RGBImage, PictureFault>]
}

/// Decodes in this process: a decoder that crashes takes it along.
public struct SquaresHere: PictureSquares {
  private let preprocessing: ImagePreprocessing

  public init(_ preprocessing: ImagePreprocessing) { self.preprocessing = preprocessing }

  public func squares(of files: [[UInt8]]) -> [Result<RGBImage, PictureFault>] {
    files.map { file in
      do throws(ImageError) {
        return .success(preprocessing.square(try ImageDecoder.filePicture(in: file)))
      } catch {
        return .failure(PictureFault(error.description))
      }
    }
  }
}
