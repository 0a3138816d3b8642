/// Bytes that were UTF-8 before some of them were lost, mended as ftfy does it.
enum DamagedUTF8 {
  private typealias ByteSet = [ClosedRange<UInt8>]
  private static let space: UInt8 = 0x20
  private static let noBreak: UInt8 = 0xA0

  /// ftfy's `restore_byte_a0`: spaces that were byte A0 inside a character of UTF-8.
  static func withRestoredSpaces(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.contains(where: { $0 >= 0xC2 }) else { return bytes }
    return replacing(withGraveWords(bytes), altered) { match, result in
      result += match.map { $0 == space ? noBreak : $0 }
    }
  }

  /// ftfy's `replace_lossy_sequences`: characters of which a byte is gone become U+FFFD.
  static func withReplacedLosses(_ bytes: [UInt8]) -> [UInt8] {
    replacing(bytes, lossy) { _, result in result += [0xEF, 0xBF, 0xBD] }
  }

  private static let altered: [[ByteSet]] = {
    let space: ByteSet = [0x20...0x20]
    let byte: ByteSet = [0x80...0xBF]
    let likely: ByteSet = [0x80...0x84, 0x86...0x9F, 0xA1...0xBF]
    let four: ByteSet = [0xF0...0xF0]
    return [
      [[0xC2...0xC3, 0xC5...0xC5, 0xCE...0xCE, 0xD0...0xD0, 0xD9...0xD9], space],
      [[0xE2...0xE3], space, likely], [[0xE0...0xE3], likely, space],
      [four, space, byte, byte], [four, byte, space, byte], [four, byte, byte, space],
    ]
  }()

  private static let lossy: [[ByteSet]] = {
    let lost: ByteSet = [0x1A...0x1A]
    // A question mark may stand for a lost byte, once in a character.
    let question: ByteSet = [0x1A...0x1A, 0x3F...0x3F]
    let byte: ByteSet = [0x1A...0x1A, 0x80...0xBF]
    let any: ByteSet = [0x1A...0x1A, 0x3F...0x3F, 0x80...0xBF]
    let three: ByteSet = [0xE0...0xEF]
    let four: ByteSet = [0xF0...0xF4]
    let surrogate: ByteSet = [0xED...0xED]
    let (high, low): (ByteSet, ByteSet) = ([0xA0...0xAF], [0xB0...0xBF])
    return [
      [[0xC2...0xDF], lost], [[0xC2...0xC3], [0x3F...0x3F]],
      [surrogate, high, question, surrogate, low, any],
      [surrogate, high, any, surrogate, low, question],
      [three, question, byte], [three, byte, question],
      [four, question, byte, byte], [four, byte, question, byte], [four, byte, byte, question],
      [lost],
    ]
  }()

  /// `Ã ` before a word is the word `à`, and keeps its space; not before the words of Portuguese that
  /// it begins.
  private static func withGraveWords(_ bytes: [UInt8]) -> [UInt8] {
    let exceptions = [" ", "quele", "quela", "quilo", "s "].map { Array($0.utf8) }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      result.append(bytes[index])
      index += 1
      if bytes[index - 1] == 0xC3, index < bytes.count, bytes[index] == space,
        !exceptions.contains(where: { bytes[(index + 1)...].starts(with: $0) })
      {
        result += [noBreak, space]
        index += 1
      }
    }
    return result
  }

  /// Replaces what fits a pattern, from the left, of the patterns that fit the first.
  private static func replacing(
    _ bytes: [UInt8], _ patterns: [[ByteSet]],
    _ replace: (ArraySlice<UInt8>, inout [UInt8]) -> Void
  ) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if let pattern = patterns.first(where: { fits($0, bytes[index...]) }) {
        replace(bytes[index..<(index + pattern.count)], &result)
        index += pattern.count
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return result
  }

  private static func fits(_ pattern: [ByteSet], _ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count >= pattern.count else { return false }
    return zip(pattern, bytes).allSatisfy { set, byte in set.contains { $0.contains(byte) } }
  }
}
