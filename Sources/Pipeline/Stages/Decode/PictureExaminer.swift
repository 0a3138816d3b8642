public import ImageCodec
public import PerceptualHash
public import PipelineCore
public import WorkerProcesses

/// What a picture is and looks like.
public struct ExaminedPicture: Sendable, Equatable {
  /// Sides of the upright picture, pixels.
  public var width: Int
  public var height: Int
  public var format: ImageFormat
  public var signature: PictureSignature

  public init(width: Int, height: Int, format: ImageFormat, signature: PictureSignature) {
    self.width = width
    self.height = height
    self.format = format
    self.signature = signature
  }
}

/// Why a body is no picture that can be looked at.
public struct PictureRefusal: Error, Sendable, Equatable {
  public var drop: Drop

  public init(drop: Drop) { self.drop = drop }
}

/// Looks at pictures without keeping anything of them, in processes of their own.
///
/// A picture has the signature that the decode stage gives it with the same options, bit for bit. A body that
/// crashes, hangs or exhausts its decoder is refused by itself.
public final class PictureExaminer: Sendable {
  private let maker: PictureMaker
  private let sandbox: DecodeSandbox?
  private let mostBytes: Int
  /// The most bodies on their way to a process at a time, and about the most bytes of them.
  private static let batch = 8
  private static let batchBytes = 16 << 20

  /// - Parameters:
  ///   - worker: Starts a process that runs ``DecodeWorker/serve()``; nil decodes in this one, which then goes
  ///     down with a decoder that crashes.
  ///   - options: The limits, whose habits the decoder has, and the size by which large pictures are decoded
  ///     smaller; the rules on small, large and long pictures do not count.
  public init(worker: WorkerCommand?, options: DecodeOptions = DecodeOptions()) {
    maker = PictureMaker(options: options)
    sandbox = worker.map { DecodeSandbox($0, options: options) }
    mostBytes = DecodeSettings().maxBytes
  }

  /// What each body shows, in order, or why it is no picture; blocks.
  ///
  /// - Parameters:
  ///   - bodies: Files of pictures; one that is longer than a picture may be is refused unread.
  ///   - threads: Bodies that are decoded at a time.
  ///   - isCancelled: Looked at before each batch, and ten times a second while a process works.
  /// - Returns: A result for each body.
  /// - Throws: ``DecodeSetupError`` when no process starts, `CancellationError` when it is called off.
  public func examine(
    _ bodies: [[UInt8]], threads: Int, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> [Result<ExaminedPicture, PictureRefusal>] {
    let batches = batches(of: bodies, threads: threads)
    return try OrderedLanes.results(batches.count, threads: threads) { batch in
      if isCancelled() { throw CancellationError() }
      return try self.examine(Array(bodies[batches[batch]]), isCancelled)
    }.flatMap { $0 }
  }

  private func examine(
    _ bodies: [[UInt8]], _ isCancelled: () -> Bool
  ) throws -> [Result<ExaminedPicture, PictureRefusal>] {
    let readable = bodies.filter { $0.count <= mostBytes }
    var results =
      try sandbox?.examine(readable, isCancelled) ?? readable.map { maker.examine($0) }
    for (index, body) in bodies.enumerated() where body.count > mostBytes {
      let error = ImageError.fileTooLarge(bytes: body.count, limit: mostBytes)
      results.insert(
        .failure(PictureRefusal(drop: Drop(DropReason(error), detail: error.description))),
        at: index)
    }
    return results
  }

  /// Few bodies, and few bytes, so that no process waits long for another.
  private func batches(of bodies: [[UInt8]], threads: Int) -> [Range<Int>] {
    let size = max(1, min(Self.batch, bodies.count / (2 * threads)))
    var batches: [Range<Int>] = []
    var (start, bytes) = (0, 0)
    for (index, body) in bodies.enumerated() {
      if index > start, index - start == size || bytes + body.count > Self.batchBytes {
        batches.append(start..<index)
        (start, bytes) = (index, 0)
      }
      bytes += body.count
    }
    if start < bodies.count { batches.append(start..<bodies.count) }
    return batches
  }
}
