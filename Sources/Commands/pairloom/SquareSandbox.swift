import ArgumentParser
import BatchLoading
import CLIPTraining
import DecodeStage
import Foundation
import ImageCodec
import WorkerProcesses

/// Makes the squares of an image tower in processes of their own: a picture that crashes, hangs or exhausts its
/// decoder costs itself alone.
struct SquareSandbox: PictureSquares {
  private let pool: WorkerPool
  private let size: Int

  init(_ preprocessing: ImagePreprocessing) {
    size = preprocessing.size
    let options = DecodeOptions()
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // It is numbers and names; there is none that JSON cannot say.
    guard let greeting = try? encoder.encode(preprocessing) else {
      preconditionFailure("a preprocessing that is no JSON: \(preprocessing)")
    }
    pool = WorkerPool(
      WorkerCommand(
        executable: "/proc/self/exe", arguments: [SquareWorkerCommand.name],
        environment: ["OPENBLAS_NUM_THREADS": "1"]),
      limits: WorkerLimits(
        memory: options.memoryInForce, cpuSeconds: options.cpuSeconds,
        wallSeconds: Double(options.wallSeconds), answerBytes: 3 * size * size + 1 << 16),
      greeting: [UInt8](greeting))
  }

  func squares(of files: [[UInt8]]) throws -> [Result<RGBImage, PictureFault>] {
    let outcomes: [WorkerOutcome]
    do throws(WorkerError) { outcomes = try pool.outcomes(of: files) } catch {
      // The machine's fault, and not a chunk's: a run stops, and goes on when it is mended.
      throw DecodeSetupError.cannotStart(problem: error.description)
    }
    return outcomes.map { outcome in
      switch outcome {
      case .failed(let failure): .failure(PictureFault("its decoder ended by \(failure)"))
      case .answer(let answer): SquareAnswer.read(answer, size: size)
      }
    }
  }
}

/// What a process answers: a byte 0 and the pixels, or a byte 1 and what is wrong with the file.
enum SquareAnswer {
  static func write(_ result: Result<RGBImage, PictureFault>) -> [UInt8] {
    switch result {
    case .success(let square): [0] + square.pixels
    case .failure(let fault): [1] + fault.description.utf8
    }
  }

  static func read(_ bytes: [UInt8], size: Int) -> Result<RGBImage, PictureFault> {
    switch bytes.first {
    case 0 where bytes.count == 1 + 3 * size * size:
      .success(RGBImage(width: size, height: size, pixels: Array(bytes.dropFirst())))
    case 1: .failure(PictureFault(String(decoding: bytes.dropFirst(), as: UTF8.self)))
    default: .failure(PictureFault("its decoder gave no answer"))
    }
  }
}

/// `pairloom square-worker`: what a scorer starts to decode in; not for people.
struct SquareWorkerCommand: ParsableCommand {
  static let name = "square-worker"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "Decode pictures for the process that started this.",
    shouldDisplay: false)

  func run() {
    WorkerServer.serve { greeting in
      let preprocessing = try JSONDecoder().decode(ImagePreprocessing.self, from: Data(greeting))
      let squares = SquaresHere(preprocessing)
      return { file in SquareAnswer.write(squares.squares(of: [file])[0]) }
    }
  }
}
