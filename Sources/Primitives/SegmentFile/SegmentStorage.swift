import DurableFiles
import Glibc

/// Memory that a segment's bytes lie in: pages of a file, or a copy.
///
/// Pointer contract: the bytes live as long as the object and are never written to. A file is only made
/// shorter behind what was committed, and only committed bytes are mapped.
@safe final class SegmentMemory: @unchecked Sendable {
  // Sendable: all here is constant.
  fileprivate let base: UnsafeRawPointer
  let count: Int
  private let mapped: UnsafeMutableRawBufferPointer?

  init(copying bytes: [UInt8]) {
    let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 64)
    unsafe copy.copyMemory(from: bytes, byteCount: bytes.count)
    unsafe base = UnsafeRawPointer(copy)
    count = bytes.count
    unsafe mapped = nil
  }

  /// Maps a part of a file to be read.
  init(_ file: SegmentDescriptor, offset: Int, count: Int) throws(FileError) {
    let region = unsafe try file.map(offset: offset, count: count, isWritable: false)
    unsafe mapped = region.pages
    unsafe base = UnsafeRawPointer(region.start)
    self.count = count
  }

  deinit {
    if let mapped = unsafe mapped {
      _ = unsafe munmap(mapped.baseAddress, mapped.count)
    } else {
      unsafe UnsafeMutableRawPointer(mutating: base).deallocate()
    }
  }

  func withBytes<R>(_ range: Range<Int>, _ body: (RawSpan) throws -> R) rethrows -> R {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) bytes")
    // Safe: the range lies in memory that lives as long as self.
    let span = unsafe RawSpan(_unsafeStart: base + range.lowerBound, byteCount: range.count)
    defer { withExtendedLifetime(self) {} }
    return try body(span)
  }

  func byte(at place: Int) -> UInt8 {
    precondition(place >= 0 && place < count, "byte \(place) of \(count)")
    return unsafe base.load(fromByteOffset: place, as: UInt8.self)
  }
}

extension SegmentDescriptor {
  /// The pages around a part of the file, and where in them it begins.
  fileprivate func map(
    offset: Int, count: Int, isWritable: Bool
  ) throws(FileError) -> (pages: UnsafeMutableRawBufferPointer, start: UnsafeMutableRawPointer) {
    let before = offset % Int(getpagesize())
    let length = max(1, before + count)
    let access = isWritable ? PROT_READ | PROT_WRITE : PROT_READ
    let pages = unsafe mmap(nil, length, access, MAP_SHARED, number, off_t(offset - before))
    guard let pages = unsafe pages, unsafe pages != MAP_FAILED else {
      throw FileError(operation: "be mapped (mmap)", path: path, errorNumber: errno)
    }
    return unsafe (UnsafeMutableRawBufferPointer(start: pages, count: length), pages + before)
  }

  /// Maps a part of the file, whose blocks are there, to be filled.
  func fill<R>(
    offset: Int, count: Int, _ body: (inout MutableRawSpan) throws -> R
  ) throws -> R {
    let region = unsafe try map(offset: offset, count: count, isWritable: true)
    defer { _ = unsafe munmap(region.pages.baseAddress, region.pages.count) }
    // Safe: the mapping is this call's own and outlives the body.
    var span = unsafe MutableRawSpan(_unsafeStart: region.start, byteCount: count)
    return try body(&span)
  }
}

extension RawSpan {
  /// The eight bytes from `place` as a little-endian number; they must be there.
  @inlinable @inline(__always)
  package func word(at place: Int) -> UInt64 {
    // Safe: every pattern of bits is a number, and the span checks the place.
    UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
  }

  /// The byte at `place`, which must be there.
  @inlinable @inline(__always)
  package func byte(at place: Int) -> UInt8 {
    unsafe unsafeLoad(fromByteOffset: place, as: UInt8.self)
  }

  /// A copy of a part.
  package func array(_ range: Range<Int>) -> [UInt8] {
    unsafe extracting(range).withUnsafeBytes { unsafe Array($0) }
  }
}

extension MutableRawSpan {
  /// Writes a number as eight little-endian bytes.
  @inlinable @inline(__always)
  package mutating func store(_ word: UInt64, at place: Int) {
    storeBytes(of: word.littleEndian, toByteOffset: place, as: UInt64.self)
  }

  package mutating func store(_ bytes: [UInt8], at place: Int) {
    unsafe store(bytes.span.bytes, at: place)
  }

  /// Copies a run of bytes.
  package mutating func store(_ bytes: RawSpan, at place: Int) {
    precondition(
      place >= 0 && place + bytes.byteCount <= byteCount, "\(place) of \(byteCount) bytes")
    unsafe withUnsafeMutableBytes { room in
      unsafe bytes.withUnsafeBytes { source in
        if let base = source.baseAddress {
          unsafe room.baseAddress?.advanced(by: place).copyMemory(
            from: base, byteCount: source.count)
        }
      }
    }
  }
}
