import Foundation
import ImageCodec
import Testing

@Suite struct ImageDecoderTests {
  @Test("every kind of picture decodes to Pillow's pixels, alpha on white")
  func agreesWithPillow() throws {
    for picture in try Fixtures.pictures() {
      let header = try ImageDecoder.header(of: picture.encoded)
      #expect(header.format.rawValue == picture.name.prefix { $0 != " " }, "\(picture.name)")
      #expect(
        header.width == picture.width && header.height == picture.height, "\(picture.name)")
      let image = try ImageDecoder.decode(picture.encoded)
      let worst = zip(image.pixels, picture.expected.pixels).map { abs(Int($0) - Int($1)) }.max()
      #expect((worst ?? 0) <= picture.tolerance, "\(picture.name)")
    }
  }

  @Test("bytes cut anywhere are told to be truncated, never decoded in part")
  func truncated() throws {
    for picture in try Fixtures.pictures() where picture.name != "jpeg trailing garbage" {
      let whole = picture.encoded
      for count in stride(from: 3, to: whole.count, by: max(1, whole.count / 97)) {
        let cut = Array(whole.prefix(count))
        do {
          // What follows a GIF's first frame is not looked at, and a cut may lie there.
          let image = try ImageDecoder.decode(cut)
          #expect(
            picture.name.hasPrefix("gif") && image == picture.expected, "\(picture.name) \(count)")
        } catch .notAnImage where count < 12 {
          // The signature itself is cut.
        } catch {
          #expect(error == .truncated, "\(picture.name) cut to \(count) of \(whole.count)")
        }
      }
    }
  }

  @Test("a picture beyond the limit is refused by its header")
  func limit() throws {
    let bytes = try ImageEncoder.png(TestPictures.gradient(width: 40, height: 30))
    #expect(throws: ImageError.tooManyPixels(width: 40, height: 30, limit: 1199)) {
      try ImageDecoder.decode(bytes, maxPixels: 1199)
    }
    #expect(try ImageDecoder.decode(bytes, maxPixels: 1200).width == 40)

    // The headers claim two thousand million pixels; no pixel follows.
    let claim = [UInt8](bytes[..<16]) + [0, 1, 0, 0, 0, 1, 0, 0] + [UInt8](bytes[24..<33])
    let gif =
      Array("GIF89a".utf8) + [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0]
    for (bytes, side) in [(claim, 65536), (gif, 65535)] {
      #expect(
        throws: ImageError.tooManyPixels(width: side, height: side, limit: 89_478_485)
      ) { try ImageDecoder.decode(bytes) }
    }
  }

  @Test("a broken checksum or entropy stream is corrupt, untidy bytes between markers pass")
  func corrupt() throws {
    var png = try Fixtures.picture("png rgb").encoded
    png[png.count - 20] ^= 0x10  // inside IDAT's data or checksum
    let error = #expect(throws: ImageError.self) { try ImageDecoder.decode(png) }
    guard case .corrupt = error else {
      Issue.record("\(String(describing: error))")
      return
    }

    let picture = try Fixtures.picture("jpeg baseline 4:2:0")
    var jpeg = picture.encoded
    jpeg.replaceSubrange(20..<20, with: [0, 0, 0, 0])  // after the JFIF segment
    #expect(try ImageDecoder.decode(jpeg) == picture.expected)
  }

  @Test("no bytes, and bytes of no known kind, have their own errors")
  func nothing() {
    #expect(throws: ImageError.empty) { try ImageDecoder.decode([]) }
    #expect(throws: ImageError.notAnImage) { try ImageDecoder.decode(Array("hello".utf8)) }
    #expect(throws: ImageError.notAnImage) { try ImageDecoder.decode([UInt8](0...255)) }
    #expect(throws: ImageError.unsupportedFormat(.html)) {
      try ImageDecoder.decode(Array("<!DOCTYPE html><title>404</title>".utf8))
    }
  }
}
