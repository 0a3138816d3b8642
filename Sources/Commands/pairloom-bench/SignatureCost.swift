import DurableFiles
import ImageCodec
import PerceptualHash
import PipelineCore

/// What a signature costs beside the pHash, and what a comparison does.
enum SignatureCost {
  private static let pictures = 300

  /// Prints a line: ms of processor time per picture for the pHash alone and for both, and µs per comparison.
  static func print(_ labelled: [LabelledPicture], rounds count: Int) throws {
    let step = max(1, labelled.count / pictures)
    var decoded: [DecodedPicture] = []
    for index in stride(from: 0, to: labelled.count, by: step) {
      let bytes = try DurableFile.read(labelled[index].path)
      do throws(ImageError) {
        let settings = DecodeSettings()
        let header = try ImageDecoder.header(of: bytes, settings: settings)
        let target = ResizeMode.centerCrop.scaledSize(
          width: header.width, height: header.height, size: 256, onlyIfBigger: false)
        decoded.append(try ImageDecoder.decode(bytes, settings: settings, atLeast: target))
      } catch {
        continue  // what does not decode has no signature
      }
    }
    var sink = 0
    let hashes = Rounds(count, clock: .processor) {
      for picture in decoded {
        let hash = PerceptualHash(of: picture.image, original: (picture.width, picture.height))
        sink &+= hash.bits.nonzeroBitCount
      }
    }
    var signatures: [PictureSignature] = []
    let both = Rounds(count, clock: .processor) {
      signatures = decoded.map {
        PictureSignature.withHash(of: $0.image, original: ($0.width, $0.height)).signature
      }
    }
    let comparisons = Rounds(count, clock: .processor) {
      for signature in signatures.prefix(50) {
        for other in signatures { sink &+= signature.difference(from: other) }
      }
    }
    precondition(sink != 0, "nothing was computed")
    let perPicture = 1000 / Double(decoded.count)
    Figure(
      name: "signature",
      values: [
        .init("pictures", .int(decoded.count)),
        .init("hash_ms", .rounded(hashes.median * perPicture)),
        .init("hash_and_signature_ms", .rounded(both.median * perPicture)),
        .init(
          "difference_us",
          .rounded(comparisons.median * 1e6 / Double(min(50, decoded.count) * decoded.count))),
        .init("bytes", .int(PictureSignature.byteCount)),
      ], threads: 1, rounds: both
    ).print()
  }
}
