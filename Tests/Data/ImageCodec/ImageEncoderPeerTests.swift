import ImageCodec
import TestTools
import Testing

@Suite struct ImageEncoderPeerTests {
  @Test("JPEGs are Pillow's, byte for byte, at every quality, subsampling and kind of coding")
  func jpeg() throws {
    try check(try ResizePeer.committed("jpeg"))
  }

  @Test(
    "JPEGs are the live Pillow's, byte for byte",
    .peers("numpy", "PIL"))
  func jpegLive() async throws {
    try check(try await ResizePeer.live("jpeg", count: 300))
  }

  private func check(_ cases: [ResizePeer.Case]) throws {
    for (index, item) in cases.enumerated() {
      let quality = try #require(item.quality)
      let subsampling = try item.chromaSubsampling()
      let made = try ImageEncoder.jpeg(
        try item.image(), quality: quality, subsampling: subsampling,
        optimised: item.optimised ?? false, progressive: item.progressive ?? false)
      #expect(
        try made == item.expectedBytes(),
        "case \(index): \(item.width)x\(item.height) \(quality) \(subsampling)")
    }
  }

  // Pillow chooses PNG's filters by itself, and brings a libwebp of its own.
  @Test(
    "PNG and WebP files are about as large as Pillow's at the same settings",
    .peers("numpy", "PIL"))
  func sizesLive() async throws {
    var ours = [0, 0, 0]
    var theirs = [0, 0, 0]
    for item in try await ResizePeer.live("png", count: 120) {
      let image = try item.image()
      let level = try #require(item.level)
      let quality = try #require(item.quality)
      ours[0] += try ImageEncoder.png(image, level: level).count
      ours[1] += try ImageEncoder.webp(image, quality: quality).count
      ours[2] += try ImageEncoder.webpLossless(image).count
      for (kind, size) in [item.png, item.webp, item.lossless].enumerated() {
        theirs[kind] += try #require(size)
      }
    }
    for kind in 0..<3 {
      let ratio = Double(ours[kind]) / Double(theirs[kind])
      #expect(0.95 < ratio && ratio < 1.05, "kind \(kind): \(ours[kind]) to \(theirs[kind])")
    }
  }

  @Test("an encoding writes what its extension says, and takes its settings")
  func encodings() throws {
    let image = TestPictures.gradient(width: 61, height: 40)
    let encodings: [(PictureEncoding, String)] = [
      (.jpeg(quality: 90), "jpg"), (.jpeg(quality: 90, subsampling: .s444), "jpg"),
      (.jpeg(quality: 90, optimised: true), "jpg"), (.png(level: 0), "png"),
      (.png(level: 9), "png"), (.webp(quality: 80), "webp"), (.webpLossless, "webp"),
    ]
    var sizes: [Int] = []
    for (encoding, name) in encodings {
      let bytes = try encoding.encode(image)
      #expect(encoding.fileExtension == name)
      #expect(ImageFormat.recognise(bytes) == encoding.format)
      sizes.append(bytes.count)
    }
    #expect(sizes[1] > sizes[0] && sizes[2] < sizes[0] && sizes[3] > sizes[4])
  }
}
