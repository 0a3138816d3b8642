import DurableFiles
import PipelineCore
import Synchronization
import WorkerProcesses

/// Makes pictures in processes of their own.
final class DecodeSandbox: PictureWorks {
  private let pool: WorkerPool

  init(_ command: WorkerCommand, options: DecodeOptions) {
    var command = command
    // The program's other libraries make threads and take memory for them when they are loaded.
    command.environment["OPENBLAS_NUM_THREADS"] = "1"
    let limits = WorkerLimits(
      memory: options.memoryInForce, cpuSeconds: options.cpuSeconds,
      wallSeconds: Double(options.wallSeconds),
      // No encoder makes more of a pixel than a PNG without compression does.
      answerBytes: min(1 << 31, 4 * options.maxPixels + 1 << 28))
    pool = WorkerPool(command, limits: limits, greeting: options.greeting)
  }

  func pictures(
    _ requests: [PictureRequest], _ flag: CancellationFlag
  ) throws -> [PictureResult] {
    try outcomes(of: requests.map { .picture($0) }, { flag.isSet }).map { outcome in
      switch outcome {
      case .failed(let failure): return .failed(failure)
      case .answer(let bytes):
        switch DecodeAnswer(bytes) {
        case .picture(let picture): return .made(picture)
        case .cut(let count): return .cut(count: count)
        case .fileError(let error): throw error
        case .selfTest, .examined, nil: return .failed(.garbage)
        }
      }
    }
  }

  func selfTest(isLarge: Bool, _ flag: CancellationFlag) throws -> String? {
    switch try outcomes(of: [.selfTest(isLarge: isLarge)], { flag.isSet })[0] {
    case .failed(let failure):
      return "a picture of our own making ends the decoder by \(failure)"
    case .answer(let bytes):
      guard case .selfTest(let problem) = DecodeAnswer(bytes) else {
        return "the decoder's answer is none of this program's"
      }
      return problem
    }
  }

  /// What each body shows, in order; blocks.
  func examine(
    _ bodies: [[UInt8]], _ isCancelled: () -> Bool
  ) throws -> [Result<ExaminedPicture, PictureRefusal>] {
    try outcomes(of: bodies.map { .examine($0) }, isCancelled).map { outcome in
      var failure = WorkerFailure.garbage
      switch outcome {
      case .answer(let bytes):
        if case .examined(let result) = DecodeAnswer(bytes) { return result }
      case .failed(let what): failure = what
      }
      return .failure(PictureRefusal(drop: Drop(.decoderCrashed, detail: "\(failure)")))
    }
  }

  private func outcomes(
    of requests: [DecodeRequest], _ isCancelled: () -> Bool
  ) throws -> [WorkerOutcome] {
    do {
      return try pool.outcomes(of: requests.map(\.bytes), isCancelled: isCancelled)
    } catch {
      switch error {
      case .cancelled: throw CancellationError()
      case .cannotStart: throw DecodeSetupError.cannotStart(problem: error.description)
      }
    }
  }
}
