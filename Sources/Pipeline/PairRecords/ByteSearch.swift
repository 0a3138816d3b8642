/// Finds a text among many bytes.
///
/// Source: R. N. Horspool, Practical fast searching in strings, 1980: what stands under the text's last
/// byte tells how far the text may be moved on.
struct ByteSearch: Sendable {
  private let text: [UInt8]
  /// By the byte under the text's last one.
  private let shifts: [Int]

  /// - Parameter text: Not empty.
  init(_ text: [UInt8]) {
    precondition(!text.isEmpty, "a search for nothing")
    self.text = text
    var shifts = [Int](repeating: text.count, count: 256)
    for (index, byte) in text.dropLast().enumerated() {
      shifts[Int(byte)] = text.count - 1 - index
    }
    self.shifts = shifts
  }

  /// Where the text begins in `bytes` within `range`; nil where it does not.
  func next(in bytes: [UInt8], _ range: Range<Int>) -> Int? {
    let last = text.count - 1
    let (wanted, end) = (text[last], range.upperBound)
    var place = range.lowerBound + last
    while place < end {
      let byte = bytes[place]
      if byte == wanted, bytes[(place - last)...place].elementsEqual(text) { return place - last }
      place += shifts[Int(byte)]
    }
    return nil
  }

  /// Calls `body` with the range of each line that holds the text, once.
  func forEachLine(in bytes: [UInt8], _ body: (Range<Int>) throws -> Void) rethrows {
    var start = 0
    while start < bytes.count, let place = next(in: bytes, start..<bytes.count) {
      var begin = place
      while begin > start, bytes[begin - 1] != 0x0A { begin -= 1 }
      let end = Self.end(ofLineAt: place, in: bytes)
      try body(begin..<end)
      start = end + 1
    }
  }

  /// Calls `body` with the range of each line.
  static func forEachLine(in bytes: [UInt8], _ body: (Range<Int>) throws -> Void) rethrows {
    var start = 0
    while start < bytes.count {
      let end = end(ofLineAt: start, in: bytes)
      try body(start..<end)
      start = end + 1
    }
  }

  private static func end(ofLineAt place: Int, in bytes: [UInt8]) -> Int {
    var end = place
    while end < bytes.count, bytes[end] != 0x0A { end += 1 }
    return end
  }
}
