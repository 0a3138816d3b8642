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
      Prints pictures, ok (those that could be decoded), per_cpu_s and ms of CPU time per picture, and \
      codecs_ms, the part that decoding and encoding take by themselves, over the files that ../shared/peers/decode.py takes. A JPEG much larger than 256 is decoded by a \
      scaled DCT unless --exact says otherwise; orientation and profiles are applied, as the \
      pipeline does, and as those peers do not.
      """)

  @Argument(help: "A folder; all files in it and below it, those ending in .jsonl aside.")
  var folder: String

  @Option(help: "The most pictures; which ones is fixed.")
  var n = 1000

  @Flag(help: "Decode every JPEG at its full size.")
  var exact = false

  @Option(help: "The filter for shrinking: box, area, bilinear, bicubic, lanczos, …")
  var filter = ResizeFilters().downscale.rawValue

  @OptionGroup var repetition: RoundOptions

  func validate() throws {
    try requirePositive(n, "--n")
    guard ResampleFilter(rawValue: filter) != nil else {
      let names = ResampleFilter.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--filter \(filter) is none of \(names).")
    }
  }

  func run() throws {
    var paths = try Self.files(below: folder)
    guard !paths.isEmpty else { throw ValidationError("\(folder) holds no files.") }
    var order = PythonShuffle(seed: 1)
    order.shuffle(&paths)
    let files = try paths.prefix(n).map { try DurableFile.read($0) }
    var settings = DecodeSettings()
    settings.exact = exact
    var filters = ResizeFilters()
    if let filter = ResampleFilter(rawValue: filter) { filters.downscale = filter }
    var decoded = 0
    let rounds = Rounds(repetition.rounds, clock: .processor) {
      decoded = files.count {
        Self.picture(from: $0, settings: settings, filters: filters) != nil
      }
    }
    let resized = files.map { Self.resized($0, settings: settings, filters: filters) }
    let codecs = try Rounds(repetition.rounds, clock: .processor) {
      for (file, image) in zip(files, resized) {
        guard let image else { continue }
        _ = try Self.decoded(file, settings: settings)
        _ = try ImageEncoder.jpeg(image, quality: 95)
      }
    }
    Figure(
      name: "decode",
      values: [
        .init("pictures", .int(files.count)), .init("ok", .int(decoded)),
        .init("per_cpu_s", .rounded(Double(files.count) / rounds.median)),
        .init("ms", .rounded(1000 * rounds.median / Double(files.count))),
        .init("codecs_ms", .rounded(1000 * codecs.median / Double(files.count))),
      ], threads: 1, rounds: rounds
    ).print()
  }

  /// The JPEG, or nil when the bytes hold no picture: some files of a crawl never do.
  static func picture(
    from bytes: [UInt8], settings: DecodeSettings, filters: ResizeFilters
  ) -> [UInt8]? {
    do throws(ImageError) {
      guard let image = resized(bytes, settings: settings, filters: filters) else { return nil }
      return try ImageEncoder.jpeg(image, quality: 95)
    } catch {
      return nil
    }
  }

  private static func resized(
    _ bytes: [UInt8], settings: DecodeSettings, filters: ResizeFilters
  ) -> RGBImage? {
    do throws(ImageError) {
      let picture = try decoded(bytes, settings: settings)
      return picture.image.resized(
        mode: .centerCrop, size: 256, filters: filters, of: (picture.width, picture.height))
    } catch {
      return nil
    }
  }

  private static func decoded(
    _ bytes: [UInt8], settings: DecodeSettings
  ) throws(ImageError) -> DecodedPicture {
    let header = try ImageDecoder.header(of: bytes, settings: settings)
    let target = ResizeMode.centerCrop.scaledSize(
      width: header.width, height: header.height, size: 256, onlyIfBigger: false)
    return try ImageDecoder.decode(bytes, settings: settings, atLeast: target)
  }

  /// The files that Python's `os.walk` finds, sorted by code points.
  static func files(below folder: String) throws -> [String] {
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
