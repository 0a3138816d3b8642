import Foundation
import ImageCodec
import PerceptualHash
import TestTools
import Testing

@Suite struct PerceptualHashTests {
  @Test("hashes are imagehash's, bit for bit, of small, narrow and large pictures")
  func agreesWithImagehash() throws {
    let file = HashPeer.folder.appendingPathComponent("hashes.txt")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 8)
    for line in lines {
      let sides = line.split(separator: " ")[1].split(separator: "x").compactMap { Int($0) }
      let hash = PerceptualHash(of: Self.made(width: sides[0], height: sides[1]))
      #expect(hash.hex == line.prefix(16), "\(line)")
      #expect(PerceptualHash(hex: hash.hex) == hash)
    }
  }

  @Test("a flat picture has only its brightness, above a median of nothing")
  func flat() {
    let image = RGBImage(width: 50, height: 20, pixels: [UInt8](repeating: 77, count: 3000))
    #expect(PerceptualHash(of: image).hex == "8000000000000000")
    #expect(PerceptualHash(of: image).distance(to: PerceptualHash(bits: 1)) == 2)
  }

  @Test("digits that are not a hash are none")
  func hex() {
    for text in ["", "12", "+234567890abcdef", "g234567890abcdef", "00000000000000000"] {
      #expect(PerceptualHash(hex: text) == nil, "\(text)")
    }
    #expect(PerceptualHash(hex: "00000000000000ff")?.bits == 255)
  }

  @Test(
    "of the shared pictures, 99 in 100 have imagehash's hash within two bits",
    .enabled(if: ProjectFolder.sharedData != nil, "no shared pictures"),
    .peers("PIL", "scipy.fftpack"))
  func sharedPictures() async throws {
    let paths = try HashPeer.pictures(every: 6)
    let lines = try await HashPeer.hashes(of: paths)
    #expect(lines.count > 600)
    var near = 0
    for (theirs, path) in lines {
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      // As the decode stage does by default: upright, in sRGB, of what is decoded for 256 pixels.
      let settings = DecodeSettings()
      let header = try ImageDecoder.header(of: bytes, settings: settings)
      let decoded = try ImageDecoder.decode(
        bytes, settings: settings,
        atLeast: ResizeMode.centerCrop.scaledSize(
          width: header.width, height: header.height, size: 256, onlyIfBigger: false))
      let hash = PerceptualHash(of: decoded.image, original: (decoded.width, decoded.height))
      let other = try #require(PerceptualHash(hex: theirs))
      if hash.distance(to: other) <= 2 { near += 1 }
    }
    #expect(near * 100 >= lines.count * 99, "\(near) of \(lines.count)")
  }

  /// The formula of `Fixtures/hash_peer.py`.
  private static func made(width: Int, height: Int) -> RGBImage {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        pixels.append(UInt8((x * x + 3 * y * y) / 97 % 256))
        pixels.append(UInt8(x * y / 53 % 256))
        pixels.append(UInt8((x / 7 + y / 5) * 31 % 256))
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }
}

/// imagehash's hashes, by Pillow and SciPy.
enum HashPeer {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  /// Every n-th shared picture, in the order of names.
  static func pictures(every step: Int) throws -> [String] {
    let corpus = try #require(ProjectFolder.sharedData) + "/corpus"
    let names = try FileManager.default.subpathsOfDirectory(atPath: corpus)
      .filter { name in [".jpg", ".png", ".webp", ".gif"].contains { name.hasSuffix($0) } }
      .sorted()
    return stride(from: 0, to: names.count, by: step).map { corpus + "/" + names[$0] }
  }

  static func hashes(of paths: [String]) async throws -> [(hash: String, path: String)] {
    let script = folder.appendingPathComponent("hash_peer.py").path
    return try await PeerPython.run([script] + paths).text.split(separator: "\n").map {
      (String($0.prefix(16)), String($0.dropFirst(17)))
    }
  }
}
