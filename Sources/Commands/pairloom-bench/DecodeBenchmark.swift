import ArgumentParser
import DurableFiles
import Foundation
import ImageCodec
import PipelineCore

/// `decode FOLDER`: what the pipeline does to a picture, on one thread.
struct DecodeBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Decode, resize to 256 (center_crop) and encode as JPEG of quality 95.",
    discussion: """
      Prints pictures, ok (those that could be decoded), per_cpu_s and ms of CPU time per picture, \
      over the files that ../shared/peers/decode.py takes.
      """)

  @Argument(help: "A folder; all files in it and below it, those ending in .jsonl aside.")
  var folder: String

  @Option(help: "The most pictures; which ones is fixed.")
  var n = 1000

  @OptionGroup var repetition: RoundOptions

  func validate() throws { try requirePositive(n, "--n") }

  func run() throws {
    var paths = try Self.files(below: folder)
    guard !paths.isEmpty else { throw ValidationError("\(folder) holds no files.") }
    var order = PythonShuffle(seed: 1)
    order.shuffle(&paths)
    let files = try paths.prefix(n).map { try DurableFile.read($0) }
    var decoded = 0
    let rounds = Rounds(repetition.rounds, clock: .processor) {
      decoded = files.count { Self.picture(from: $0) != nil }
    }
    Figure(
      name: "decode",
      values: [
        .init("pictures", .int(files.count)), .init("ok", .int(decoded)),
        .init("per_cpu_s", .rounded(Double(files.count) / rounds.median)),
        .init("ms", .rounded(1000 * rounds.median / Double(files.count))),
      ], threads: 1, rounds: rounds
    ).print()
  }

  /// The JPEG, or nil when the bytes hold no picture: some files of a crawl never do.
  static func picture(from bytes: [UInt8]) -> [UInt8]? {
    do throws(ImageError) {
      let image = try ImageDecoder.decode(bytes).resized(mode: .centerCrop, size: 256)
      return try ImageEncoder.jpeg(image, quality: 95)
    } catch {
      return nil
    }
  }

  /// The files that Python's `os.walk` finds, sorted by code points.
  private static func files(below folder: String) throws -> [String] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    return names.map { base + $0 }
      .filter { !$0.hasSuffix(".jsonl") && !isFolder($0) }
      .sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    let exists = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return exists && isFolder.boolValue
  }
}
