import Foundation
import ImageCodec
import TestTools
import Testing

/// Every shared picture against what the peers make of it, pixel by pixel.
@Suite(.serialized, .enabled(if: Fixtures.shared != nil))
struct SharedPicturesPeerTests {
  @Test(
    "Pillow's pixels, bit for bit, without orientation and profiles",
    .peers("PIL.ImageCms", "numpy"))
  func pillow() async throws {
    let outcome = try await compare("pillow", .pillow, folders: ["corpus", "variants", "exotic"])
    #expect(outcome.equal > 6_000)
    // Pillow takes inks as inverted even where no Adobe marker says so.
    #expect(outcome.differing.keys.sorted() == ["cmyk-no-adobe.jpg"])
    // Pillow gives up where a text chunk inflates to 50 MB; here nothing looks at it.
    #expect(outcome.onlyOurs == ["ztxt-bomb.png"])
    // A wrong checksum in the pixels' data does not trouble Pillow.
    #expect(outcome.onlyTheirs == ["bad-crc.png"])
  }

  @Test(
    "Pillow's pixels with orientation and profiles: equal, or within 2 levels by another lcms2",
    .peers("PIL.ImageCms", "numpy"))
  func full() async throws {
    var settings = DecodeSettings()
    settings.exact = true
    settings.deepChannels = .highByte
    var outcome = try await compare("full", settings, folders: ["corpus", "variants", "exotic"])
    // A profile that is sRGB within half a level is not applied here, and Pillow's own lcms2 is of
    // another edition, whose curves round otherwise.
    #expect(outcome.equal > 6_000)
    outcome.differing["cmyk-no-adobe.jpg"] = nil
    #expect(outcome.differing.values.allSatisfy { $0 <= 2 }, "\(outcome.differing)")
    #expect(outcome.onlyOurs == ["ztxt-bomb.png"])
    #expect(outcome.onlyTheirs == ["bad-crc.png"])
  }

  @Test(
    "what img2dataset's OpenCV shows, where the kept JPEG would show it",
    .peers("cv2", "PIL.ImageCms", "numpy"))
  func img2dataset() async throws {
    let outcome = try await compare(
      "img2dataset", .img2dataset, folders: ["corpus", "variants", "exotic"])
    #expect(outcome.equal > 5_900)
    // Alpha: OpenCV's floating-point sums lie within a level of the rounded ones.
    #expect(outcome.differing.values.allSatisfy { $0 <= 1 }, "\(outcome.differing)")
    // The limit on pixels is ours.
    #expect(outcome.onlyTheirs == ["bomb-30000.png"])
  }

  private struct Outcome {
    var equal = 0
    /// Where pictures differ, and the largest difference of a value.
    var differing: [String: Int] = [:]
    var onlyOurs: [String] = []
    var onlyTheirs: [String] = []
  }

  private func compare(
    _ kind: String, _ settings: DecodeSettings, folders: [String]
  ) async throws -> Outcome {
    let root = try #require(Fixtures.shared)
    let paths = try folders.flatMap { folder in
      let base = root.appendingPathComponent(folder)
      return try FileManager.default.subpathsOfDirectory(atPath: base.path).sorted()
        .filter { !$0.hasSuffix(".jsonl") }.map { base.appendingPathComponent($0).path }
        .filter { path in
          var isFolder: ObjCBool = false
          return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && !isFolder.boolValue
        }
    }
    var outcome = Outcome()
    var different: [(name: String, path: String, pixels: [UInt8])] = []
    for answer in try await DecodePeer.decode(kind, paths) {
      let name = URL(fileURLWithPath: answer.path).lastPathComponent
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: answer.path)))
      do throws(ImageError) {
        let image = try ImageDecoder.decode(bytes, settings: settings).image
        guard let crc = answer.crc else {
          outcome.onlyOurs.append(name)
          continue
        }
        if crc == DecodePeer.crc32(image.pixels), answer.width == image.width {
          outcome.equal += 1
        } else {
          different.append((name, answer.path, image.pixels))
        }
      } catch {
        // What is not decoded here by choice is no difference.
        if case .unsupportedFormat = error { continue }
        if answer.crc != nil { outcome.onlyTheirs.append(name) }
      }
    }
    for (name, path, pixels) in different {
      outcome.differing[name] = difference(pixels, try await DecodePeer.pixels(kind, path))
    }
    return outcome
  }

  private func difference(_ a: [UInt8], _ b: [UInt8]) -> Int {
    guard a.count == b.count else { return 256 }
    return zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }
}
