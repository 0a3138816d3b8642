import ArgumentParser
import DurableFiles
import Foundation
import ImageCodec
import PerceptualHash
import PipelineCore
import SeededRandom
import Synchronization
import WorkerThreads

/// `crop-hashes FOLDER`: many real perceptual hashes from few pictures.
struct CropHashes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crop-hashes",
    abstract: "Write pHashes of random crops of a folder's pictures, for near-duplicates.",
    discussion: """
      Real hashes are not uniform: half of their bits are set, and flat parts of pictures share a few \
      values. Each picture is decoded once, at 256 pixels or more a side where it has them, and gives \
      the same number of crops of a random place and size. The same folder, --n and --seed give the \
      same hashes.
      """)

  @Argument(
    help: "A folder; all files in it and below it are tried, those that are no pictures skipped.")
  var folder: String

  @Option(help: "Hashes.")
  var n = 1_000_000

  @Option(help: "The file to write: little-endian UInt64s.")
  var out: String

  @Option(help: "What the crops depend on.")
  var seed: UInt64 = 1

  @Option(help: "Threads.")
  var threads = Parallel.coreCount

  func validate() throws {
    try requirePositive(n, "--n")
    try requirePositive(threads, "--threads")
  }

  func run() throws {
    let paths = try DecodeBenchmark.files(below: folder)
    let pictures = try pictures(of: paths)
    guard !pictures.isEmpty else {
      throw ValidationError("\(folder) holds no picture that can be decoded.")
    }
    let hashes = Mutex([UInt64](repeating: 0, count: n))
    Parallel.forEach(pictures.count, threads: threads) { picture in
      // Strided, so that any --n takes from all pictures alike.
      for place in stride(from: picture, to: n, by: pictures.count) {
        let hash = PerceptualHash(of: crop(of: pictures[picture], number: place)).bits
        hashes.withLock { $0[place] = hash }
      }
    }
    try HashFile.write(hashes.withLock { $0 }, to: out)
    print("\(n) hashes of crops of \(pictures.count) pictures of \(paths.count) files: \(out)")
  }

  private func pictures(of paths: [String]) throws -> [RGBImage] {
    let decoded = Mutex([RGBImage?](repeating: nil, count: paths.count))
    let failure = Mutex<(any Error)?>(nil)
    Parallel.forEach(paths.count, threads: threads) { index in
      do {
        let image = Self.picture(from: try DurableFile.read(paths[index]))
        decoded.withLock { $0[index] = image }
      } catch {
        failure.withLock { $0 = $0 ?? error }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    return decoded.withLock { $0.compactMap { $0 } }
  }

  /// The picture at about 256 pixels on the short side; nil for bytes that are none.
  private static func picture(from bytes: [UInt8]) -> RGBImage? {
    do throws(ImageError) {
      let image = try ImageDecoder.decode(bytes, settings: .init(), atLeast: (256, 256)).image
      let isSmall = min(image.width, image.height) <= 256
      return isSmall ? image : image.resized(mode: .keepRatio, size: 256)
    } catch {
      return nil
    }
  }

  private func crop(of picture: RGBImage, number: Int) -> RGBImage {
    var random = RandomStream(seed: seed, path: UInt64(number))
    func side(_ whole: Int) -> Int {
      max(1, Int((random.uniform(in: 0.1..<1) * Double(whole)).rounded()))
    }
    let (width, height) = (side(picture.width), side(picture.height))
    return picture.cropped(
      left: random.integer(below: picture.width - width + 1),
      top: random.integer(below: picture.height - height + 1), width: width, height: height)
  }
}
