/// What a fuzz target calls: every path of decoding that bytes of strangers can reach.
package enum DecodeFuzz {
  /// Pixels above which a picture is refused here: a run of many stays small in memory.
  private static let maxPixels = 4_000_000

  /// Returns whatever the bytes are; a crash, a hang or a trap is the finding.
  ///
  /// - Returns: How many of the ways of decoding gave a picture.
  @discardableResult
  package static func run(_ bytes: [UInt8]) -> Int {
    var tolerant = DecodeSettings.img2dataset
    tolerant.toleratesTruncation = true
    var decoded = 0
    for (number, var settings) in [DecodeSettings(), .pillow, tolerant].enumerated() {
      settings.maxPixels = maxPixels
      do throws(ImageError) {
        let header = try ImageDecoder.header(of: bytes, settings: settings)
        let target = number == 0 ? (width: 16, height: 16) : nil
        let picture = try ImageDecoder.decode(bytes, settings: settings, atLeast: target)
        precondition(
          picture.width == header.width && picture.height == header.height
            && picture.image.width <= picture.width && picture.image.height <= picture.height,
          "\(picture.width)x\(picture.height) decoded, \(header.width)x\(header.height) declared")
        decoded += 1
      } catch {
        precondition(!error.description.isEmpty)
      }
    }
    precondition(ImageMetadata.exifJSON(of: bytes).utf8.first == UInt8(ascii: "{"))
    return decoded
  }
}
