import DurableFiles
import PipelineCore
import WorkerProcesses

/// Where pictures are made: in this process or in others.
protocol PictureWorks: Sendable {
  /// A result for each request, in order; blocks.
  func pictures(_ requests: [PictureRequest], _ flag: CancellationFlag) throws -> [PictureResult]
  /// What does not work of decoding, whatever the list holds; nil when all does.
  func selfTest(isLarge: Bool, _ flag: CancellationFlag) throws -> String?
}

/// What came of one request.
enum PictureResult: Sendable {
  /// A picture, or why the body is none.
  case made(Picture)
  /// The file of bodies ends early: so many bytes are there.
  case cut(count: Int)
  /// The body has cost two decoders in a row.
  case failed(WorkerFailure)
}

/// Makes pictures in this process: a decoder that crashes takes it along.
struct InProcessWorks: PictureWorks {
  let options: DecodeOptions

  func pictures(
    _ requests: [PictureRequest], _ flag: CancellationFlag
  ) throws -> [PictureResult] {
    let maker = PictureMaker(options: options)
    return try requests.map { request in
      try flag.check()
      let body = try DurableFile.read(
        request.path, count: request.bytes.length, at: request.bytes.offset)
      guard body.count == request.bytes.length else { return .cut(count: body.count) }
      return .made(maker.picture(from: body, boxes: request.boxes))
    }
  }

  func selfTest(isLarge: Bool, _ flag: CancellationFlag) -> String? {
    DecodeSelfTest(options: options).problem(isLarge: isLarge)
  }
}
