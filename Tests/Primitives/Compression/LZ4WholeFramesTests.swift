import Compression
import Testing

/// Whole frames, two at a time, against liblz4's own interface.
@Suite struct LZ4WholeFramesTests {
  /// Bytes of which about half repeat.
  private func content(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed
    var bytes: [UInt8] = []
    while bytes.count < count {
      for _ in 0..<40 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes.append(UInt8(truncatingIfNeeded: state >> 56))
      }
      bytes += [UInt8](repeating: UInt8(bytes.count & 0xFF), count: 40)
    }
    return Array(bytes.prefix(count))
  }

  @Test("one frame and two come back whole, of every length around a stripe and of many blocks")
  func roundTrip() {
    var room: [UInt8] = []
    for count in Array(1...70) + [1000, 65_536, 1_100_001, 4 << 20] {
      let contents = [content(count, seed: 1), content(max(1, count / 3), seed: 2)]
      let frames = contents.map(LZ4Frame.compress)
      let input = [7, 7] + frames[0] + frames[1]
      let middle = 2 + frames[0].count
      let one = LZ4Frame.decodeWhole(input, [2..<middle], into: &room)
      #expect(one == count && room.prefix(count).elementsEqual(contents[0]))
      let two = LZ4Frame.decodeWhole(input, [2..<middle, middle..<input.count], into: &room)
      #expect(two == count + contents[1].count)
      #expect(room.prefix(two ?? 0).elementsEqual(contents[0] + contents[1]), "\(count)")
    }
  }

  @Test("a frame that is cut is never taken, nor one with a wrong bit that liblz4 refuses")
  func damage() throws {
    let content = content(3000, seed: 3)
    let frame = LZ4Frame.compress(content)
    var room: [UInt8] = []
    for count in 0..<frame.count {
      #expect(LZ4Frame.decodeWhole(frame, [0..<count], into: &room) == nil)
    }
    for bit in 0..<frame.count * 8 {
      var damaged = frame
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let count = LZ4Frame.decodeWhole(damaged, [0..<damaged.count], into: &room)
      guard let count else { continue }
      // A match that is copied from elsewhere, where the same bytes stand, does no harm.
      #expect(room.prefix(count).elementsEqual(content), "\(bit)")
      let step = try LZ4FrameDecoder().decode(damaged[...], room: 4000)
      #expect(step.isEnd && step.content == content, "\(bit)")
    }
  }

  @Test("frames of other kinds are left to liblz4")
  func others() {
    var room: [UInt8] = []
    for frame: [UInt8] in [
      LZ4Frame.compress([]),  // states no size
      [0x50, 0x2A, 0x4D, 0x18, 20, 0, 0, 0] + [UInt8](repeating: 0, count: 20),  // skippable
      [0x04, 0x22, 0x4D, 0x18, 0x64, 0x40, 0xA7, 7, 0, 0, 0x80] + Array("hello, ".utf8)
        + [0, 0, 0, 0, 0x2A, 0xD3, 0x0F, 0x59],
    ] { #expect(LZ4Frame.decodeWhole(frame, [0..<frame.count], into: &room) == nil) }
  }
}
