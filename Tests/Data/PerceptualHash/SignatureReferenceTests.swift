import Foundation
import ImageCodec
import PerceptualHash
import Testing

/// The difference of two signatures, by the book: number after number, in double precision.
private struct NaiveThumbnail {
  /// Red, green and blue, 16 × 16 each, row by row.
  let values: [Double]
  let contrast: Double

  init(_ signature: PictureSignature) {
    let bits = signature.bytes[9...].flatMap { byte in (0..<8).map { Int(byte >> (7 - $0) & 1) } }
    func number(_ start: Int, _ width: Int) -> Double {
      Double(bits[start..<start + width].reduce(0) { $0 * 2 + $1 })
    }
    let order = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]
    let (low, step) = (number(0, 8), number(8, 8) / 7)
    let levels = (0..<256).map { pixel in
      let threshold = (Double(order[pixel / 16 % 4][pixel % 4]) + 0.5) / 16 - 0.5
      return min(255, max(0, (number(16 + 3 * pixel, 3) - threshold) * step + low))
    }
    var channels: [[Double]] = [[], [], []]
    for pixel in 0..<256 {
      let cell = 16 + 768 + 10 * (pixel / 64 * 4 + pixel % 16 / 4)
      let blue = levels[pixel] + (number(cell, 5) / 31 * 256 - 128) / 0.564
      let red = levels[pixel] + (number(cell + 5, 5) / 31 * 256 - 128) / 0.713
      let green = (levels[pixel] - 0.299 * red - 0.114 * blue) / 0.587
      for (channel, value) in [red, green, blue].enumerated() {
        channels[channel].append(min(255, max(0, value)))
      }
    }
    values = channels.flatMap { $0 }
    let mean = levels.reduce(0, +) / 256
    contrast = (levels.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 256).squareRoot()
  }

  func difference(from other: NaiveThumbnail) -> Double {
    let share = max(4, min(30, contrast, other.contrast)) / 30
    let (here, there) = (rest(other, 1 - 0.4 * share), other.rest(self, 1 - 0.4 * share))
    func squares(_ rest: [Double]) -> Double { rest.reduce(0) { $0 + $1 * $1 } }
    let left = squares(here) <= squares(there) ? aligned(here) : other.aligned(there)
    return pow(left.reduce(0) { $0 + pow($1, 8) } / 768, 1 / 8.0) / share * 10
  }

  private func rest(_ other: NaiveThumbnail, _ least: Double) -> [Double] {
    var (both, own) = (0.0, 0.0)
    for (a, b) in zip(values, other.values) {
      let weight = a < 235 && b < 235 ? 1.001 : 0.001
      both += weight * a * b
      own += weight * a * a
    }
    let gain = min(1 / least, max(least, both / max(own, 1e-6)))
    return zip(values, other.values).map { min(255, $0 * gain) - $1 }
  }

  private func aligned(_ rest: [Double]) -> [Double] {
    let terms = (0..<768).map { index -> [Double] in
      let (x, y) = (index % 16, index % 256 / 16)
      let across = (values[x < 15 ? index + 1 : index] - values[x > 0 ? index - 1 : index]) / 2
      let down = (values[y < 15 ? index + 16 : index] - values[y > 0 ? index - 16 : index]) / 2
      return [across, down, across * (Double(x) - 7.5) / 8, down * (Double(y) - 7.5) / 8]
    }
    // The normal equations with their right side, eliminated all the way.
    var system = [[Double]](repeating: [Double](repeating: 0, count: 5), count: 4)
    for (term, value) in zip(terms, rest) {
      for row in 0..<4 {
        for column in 0..<4 { system[row][column] += term[row] * term[column] }
        system[row][4] += term[row] * value
      }
    }
    for row in 0..<4 { system[row][row] += 768 * 4 }
    for pivot in 0..<4 {
      for row in 0..<4 where row != pivot {
        let factor = system[row][pivot] / system[pivot][pivot]
        for column in 0..<5 { system[row][column] -= factor * system[pivot][column] }
      }
    }
    let shares: [Double] = (0..<4).map { row in
      let share: Double = system[row][4] / system[row][row]
      return min(0.75, max(-0.75, share))
    }
    var left = rest
    for index in left.indices {
      for row in 0..<4 { left[index] -= terms[index][row] * shares[row] }
    }
    return left
  }
}

/// Comparing thumbnails row by row gives what comparing them number by number does.
@Suite struct SignatureReferenceTests {
  /// Blocks of colour as pictures that differ everywhere, and the same encoded anew.
  private static func blocks(_ seed: Int, of side: Int) -> RGBImage {
    PictureSignatureTests.picture(96, 96) { x, y in
      let block = Int(y * Double(side)) * side + Int(x * Double(side)) + 1000 * seed
      func level(_ factor: Int) -> UInt8 { UInt8(block * block % 9973 * factor % 256) }
      return (level(37), level(101), level(211))
    }
  }

  @Test(
    "a difference is the reference's, and encoding blocks of colour anew stays under the usual one")
  func difference() throws {
    var signatures = [
      PictureSignatureTests.even(255, 255, 255), PictureSignatureTests.even(20, 90, 30),
    ]
    for seed in 0..<8 {
      let image = Self.blocks(seed, of: 2 + seed)
      let copies = try [92, 84, 70].map { quality in
        PictureSignature(
          of: try ImageDecoder.decode(try ImageEncoder.jpeg(image, quality: quality)))
      }
      for copy in copies {
        // Not the keys: of so few frequencies some are near the median, whatever the picture.
        let difference = copies[0].difference(from: copy)
        #expect(
          difference <= PictureSignature.usualDifference,
          "\(2 + seed) blocks: \(difference), keys \(copies[0].distance(to: copy))")
      }
      signatures += copies
    }
    for factor in [0.8, 1.0, 1.2] {
      signatures.append(
        PictureSignature(
          of: PictureSignatureTests.brighter(PictureSignatureTests.drawing(), factor))
      )
    }
    let naive = signatures.map { NaiveThumbnail($0) }
    for (first, one) in signatures.enumerated() {
      for (second, other) in signatures.enumerated() where one.bytes[9...] != other.bytes[9...] {
        let expected = naive[first].difference(from: naive[second])
        // Rounded to a whole number, of single precision.
        #expect(
          abs(Double(one.difference(from: other)) - expected) < 0.6, "\(first) and \(second)")
      }
    }
  }
}
