/// A segment's bytes: of one that was read, the pages of its file, which nobody has copied.
///
/// Stays good after its file has been compacted, replaced or removed. Who reads many bytes goes
/// through ``withBytes(_:)``.
public struct SegmentBytes: RandomAccessCollection, Sendable {
  private let memory: SegmentMemory
  private let range: Range<Int>

  init(_ memory: SegmentMemory) {
    self.memory = memory
    range = 0..<memory.count
  }

  /// A copy of `bytes`.
  public init(_ bytes: [UInt8]) { self.init(SegmentMemory(copying: bytes)) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { range.count }
  public subscript(position: Int) -> UInt8 { memory.byte(at: range.lowerBound + position) }

  /// Lends all of the bytes.
  public func withBytes<R>(_ body: (RawSpan) throws -> R) rethrows -> R {
    try memory.withBytes(range, body)
  }

  /// Eight bytes from `place` as a little-endian number.
  public func word(at place: Int) -> UInt64 { withBytes { $0.word(at: place) } }

  /// Four bytes from `place` as a little-endian number.
  public func halfWord(at place: Int) -> UInt32 {
    withBytes { bytes in
      // Safe: every pattern of bits is a number, and the span checks the place.
      UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt32.self))
    }
  }

  /// A copy of a part.
  public func array(_ part: Range<Int>) -> [UInt8] { withBytes { $0.array(part) } }
}

extension SegmentBytes: Equatable {
  public static func == (a: SegmentBytes, b: SegmentBytes) -> Bool { a.elementsEqual(b) }
}
