import Glibc

/// Which scans of a progressive JPEG a decoder at 1/8 of the size needs.
///
/// At 1/8 a block of 8 × 8 becomes one pixel, its mean, which is the DC coefficient alone
/// (ITU-T T.81 §A.3.3); the scans of AC coefficients (§G.1.1.1.1), most of the file, change nothing
/// and are as dear to decode as all of the picture. Where libjpeg makes up for subsampled colours by
/// a larger transform (jdmaster.c, `jpeg_calc_output_dimensions`), those colours' scans stay.
///
/// What is left out is not looked at: bytes damaged there go unnoticed, as the picture at 1/8 does
/// not have them. A file without its end-of-image marker is left whole, for libjpeg to refuse.
enum ProgressiveScans {
  /// `bytes` without the scans that a picture at 1/8 does not need; nil when all are needed, or the
  /// file is not the one to do this with.
  ///
  /// Costs a look at every byte for markers, and a copy of those that stay.
  static func forEighths(_ bytes: [UInt8]) -> [UInt8]? {
    var kept: [UInt8] = []
    var keptUpTo = 0
    var needsAC: [UInt8: Bool]?
    var offset = 2
    while let marker = Marker(in: bytes, from: offset) {
      switch marker.code {
      case 0xD9:
        guard keptUpTo > 0 else { return nil }
        return kept + bytes[keptUpTo..<marker.end]
      case 0xC2:
        guard needsAC == nil, let components = components(bytes[marker.body]) else { return nil }
        needsAC = components
      case 0xC0, 0xC1, 0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF: return nil
      case 0xDA:
        guard let needsAC, let scan = Scan(bytes[marker.body]) else { return nil }
        let end = endOfScan(bytes, from: marker.end)
        if scan.first > 0, scan.components.allSatisfy({ needsAC[$0] == false }) {
          kept += bytes[keptUpTo..<marker.start]
          keptUpTo = end
        }
        offset = end
        continue
      default: break
      }
      offset = marker.end
    }
    return nil
  }

  /// A marker with its segment.
  private struct Marker {
    var start: Int
    var code: UInt8
    /// Behind the length.
    var body: Range<Int>
    var end: Int { body.upperBound }

    init?(in bytes: [UInt8], from offset: Int) {
      start = offset
      while start + 1 < bytes.count, bytes[start] == 0xFF, bytes[start + 1] == 0xFF { start += 1 }
      guard start + 1 < bytes.count, bytes[start] == 0xFF else { return nil }
      code = bytes[start + 1]
      if code == 0xD9 {
        body = start + 2..<start + 2
        return
      }
      // Those without a segment have no place between segments.
      guard code > 1, !(0xD0...0xD8).contains(code), start + 4 <= bytes.count else { return nil }
      let length = Int(bytes[start + 2]) << 8 | Int(bytes[start + 3])
      guard length >= 2, length <= bytes.count - start - 2 else { return nil }
      body = start + 4..<start + 2 + length
    }
  }

  /// A scan header (§B.2.3): its components' names and the first coefficient.
  private struct Scan {
    var components: [UInt8]
    var first: UInt8

    init?(_ body: ArraySlice<UInt8>) {
      guard let count = body.first, (1...4).contains(count), body.count == 4 + 2 * Int(count) else {
        return nil
      }
      let start = body.startIndex
      components = (0..<Int(count)).map { body[start + 1 + 2 * $0] }
      first = body[start + 1 + 2 * Int(count)]
    }
  }

  /// For each component of a frame header (§B.2.2) whether 1/8 needs its AC coefficients.
  private static func components(_ body: ArraySlice<UInt8>) -> [UInt8: Bool]? {
    let start = body.startIndex
    guard body.count >= 6, (1...4).contains(body[start + 5]),
      body.count == 6 + 3 * Int(body[start + 5])
    else { return nil }
    let factors = (0..<Int(body[start + 5])).map { index in
      let place = start + 6 + 3 * index
      return (name: body[place], across: body[place + 1] >> 4, down: body[place + 1] & 15)
    }
    guard factors.allSatisfy({ (1...4).contains($0.across) && (1...4).contains($0.down) }) else {
      return nil
    }
    let across = factors.reduce(1) { max($0, $1.across) }
    let down = factors.reduce(1) { max($0, $1.down) }
    return Dictionary(
      factors.map { ($0.name, across % ($0.across * 2) == 0 && down % ($0.down * 2) == 0) },
      uniquingKeysWith: { $0 || $1 })
  }

  /// Where the entropy-coded bytes that begin at `start` end: at a marker that is neither a stuffed
  /// zero nor a restart (§B.1.1.5, §E.1.4).
  private static func endOfScan(_ bytes: [UInt8], from start: Int) -> Int {
    unsafe bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return start }
      var place = start
      while place < buffer.count,
        let found = unsafe memchr(base + place, 0xFF, buffer.count - place)
      {
        place = unsafe UnsafeRawPointer(found) - base
        guard place + 1 < buffer.count else { break }
        let next = unsafe buffer[place + 1]
        if next != 0 && next != 0xFF && !(0xD0...0xD7).contains(next) { return place }
        place += next == 0xFF ? 1 : 2
      }
      return buffer.count
    }
  }
}
