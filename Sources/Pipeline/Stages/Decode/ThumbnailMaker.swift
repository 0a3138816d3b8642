import ImageCodec
public import PipelineCore
public import WorkerProcesses

/// Makes small JPEGs of pictures for a person to look at, in a process of its own.
public struct ThumbnailMaker: Sendable {
  private let works: any PictureWorks

  /// - Parameters:
  ///   - worker: Starts a process that runs ``DecodeWorker/serve()``; nil decodes in this one.
  ///   - side: The longer side, pixels; smaller pictures stay as large as they are.
  public init(worker: WorkerCommand?, side: Int = 160) {
    var options = DecodeOptions()
    options.imageSize = side
    options.resizeMode = .keepRatioLargest
    options.resizeOnlyIfBigger = true
    options.encodeQuality = 80
    works =
      worker.map { DecodeSandbox($0, options: options) } ?? InProcessWorks(options: options)
  }

  /// Small JPEGs of the pictures that lie in these ranges of a file, in order; blocks.
  ///
  /// About 1 ms for a picture of 256 pixels a side; 4 to 8 kB each.
  ///
  /// - Parameters:
  ///   - pictures: Their places.
  ///   - path: The file.
  ///   - flag: Calls the work off.
  /// - Returns: Nil for what does not decode.
  /// - Throws: What the disk refuses, a worker that cannot start, `CancellationError`.
  public func thumbnails(
    of pictures: [ByteRange], in path: String, _ flag: CancellationFlag = CancellationFlag()
  ) throws -> [[UInt8]?] {
    let requests = pictures.map { PictureRequest(path: path, bytes: $0) }
    return try works.pictures(requests, flag).map { result in
      guard case .made(let picture) = result, picture.drop == nil else { return nil }
      return picture.bytes
    }
  }
}
