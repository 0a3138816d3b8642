/// Cuts a JSON text of any length into its values, without reading the whole of it.
///
/// It only follows brackets and quotes; whoever takes a value parses it.
struct JSONStream {
  /// Bytes of a value; a longer one is no row.
  static let longestValue = 16 << 20

  enum Value: Equatable {
    /// Its place in the bytes of ``window``, until the next call.
    case bytes(Range<Int>)
    case tooLong
  }

  private(set) var window: TextWindow
  /// The line of the next byte, from 1.
  private(set) var line = 1

  init(_ window: TextWindow) { self.window = window }

  /// Where the next byte stands in the text.
  var offset: Int { window.base + window.start }

  func damaged(_ problem: String) -> ListError {
    .damaged(path: window.path, offset: offset, problem: problem)
  }

  /// The next byte that is no white space; nil at the end.
  mutating func peek() throws(ListError) -> UInt8? {
    while true {
      while window.start < window.bytes.count {
        let byte = window.bytes[window.start]
        switch byte {
        case 0x0A: line += 1
        case 0x20, 0x0D, 0x09: break
        default: return byte
        }
        window.start += 1
      }
      if try !window.refill(), window.isAtEnd { return nil }
    }
  }

  /// Passes over `byte` when it comes next, white space aside.
  mutating func take(_ byte: UInt8) throws(ListError) -> Bool {
    guard try peek() == byte else { return false }
    window.start += 1
    return true
  }

  /// Passes over the next value, which ``peek()`` has found to begin.
  mutating func value() throws(ListError) -> Value {
    var (at, depth, isString, isEscaped, isTooLong) = (0, 0, false, false, false)
    while true {
      let bytes = window.bytes
      var index = window.start + at
      while index < bytes.count {
        let byte = bytes[index]
        if isString {
          if isEscaped {
            isEscaped = false
          } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
          } else if byte == UInt8(ascii: "\"") {
            isString = false
            if depth == 0 { return end(index + 1, isTooLong) }
          }
          if byte == 0x0A { line += 1 }
          index += 1
          continue
        }
        switch byte {
        case UInt8(ascii: "\""):
          isString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          // A bracket that closes what is around the value ends a number or a word.
          if depth == 0 { return end(index, isTooLong) }
          depth -= 1
          if depth == 0 { return end(index + 1, isTooLong) }
        case UInt8(ascii: ","), UInt8(ascii: ":"):
          if depth == 0 { return end(index, isTooLong) }
        case 0x0A:
          if depth == 0 { return end(index, isTooLong) }
          line += 1
        case 0x20, 0x09, 0x0D: if depth == 0 { return end(index, isTooLong) }
        default: break
        }
        index += 1
      }
      at = index - window.start
      if at > Self.longestValue {
        isTooLong = true
        window.start = index
        at = 0
      }
      if try !window.refill(), window.isAtEnd {
        guard depth == 0, !isString else { throw damaged("it ends inside a value") }
        return end(window.bytes.count, isTooLong)
      }
    }
  }

  private mutating func end(_ index: Int, _ isTooLong: Bool) -> Value {
    let start = window.start
    window.start = index
    return isTooLong ? .tooLong : .bytes(start..<index)
  }
}
