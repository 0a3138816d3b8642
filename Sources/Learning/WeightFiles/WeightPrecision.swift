import DurableFiles
import TensorEngine

/// The types of number that weights are written in.
public enum WeightPrecision: String, CaseIterable, Sendable {
  case float32
  case float16
  case bfloat16

  public var format: NumberFormat {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    }
  }

  /// The little-endian bytes of a tensor, each value rounded to the nearest, ties to even.
  ///
  /// - Throws: ``WeightFileError`` where a finite value would become infinite.
  func bytes(
    of tensor: Tensor, name: String, file: String
  ) throws(WeightFileError) -> [UInt8] {
    var isTooLarge = false
    let bytes: [UInt8] = tensor.withSpan { floats in
      switch self {
      case .float32:
        // The format is little-endian, and so is every machine that has AVX2.
        return unsafe floats.withUnsafeBytes { unsafe Array($0) }
      case .float16:
        return Self.words(floats) { value in
          let half = Float16(value)
          if half.isInfinite && value.isFinite { isTooLarge = true }
          return half.bitPattern
        }
      case .bfloat16:
        return Self.words(floats) { value in
          let bits = value.bitPattern
          // A NaN whose few kept bits are zero would become an infinity.
          if value.isNaN { return UInt16(bits >> 16) | 0x40 }
          let rounded = UInt16((UInt64(bits) + 0x7FFF + UInt64(bits >> 16 & 1)) >> 16)
          if rounded & 0x7FFF == 0x7F80 && value.isFinite { isTooLarge = true }
          return rounded
        }
      }
    }
    if isTooLarge { throw WeightFileError(.overflow(type: rawValue), file: file, tensor: name) }
    return bytes
  }

  private static func words(_ floats: Span<Float>, _ word: (Float) -> UInt16) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(floats.count * 2)
    for index in floats.indices {
      let word = word(floats[index])
      bytes.append(UInt8(truncatingIfNeeded: word))
      bytes.append(UInt8(truncatingIfNeeded: word >> 8))
    }
    return bytes
  }
}

/// A file in the making whose errors are of this module.
final class WeightSink {
  private let writer: DurableFileWriter
  private(set) var byteCount = 0

  init(_ path: String) throws(WeightFileError) {
    do throws(FileError) { writer = try DurableFileWriter(path) } catch {
      throw WeightFileError(.unreadable(error), file: path)
    }
  }

  func write(_ bytes: [UInt8]) throws(WeightFileError) {
    do throws(FileError) { try writer.write(bytes) } catch {
      throw WeightFileError(.unreadable(error), file: writer.path)
    }
    byteCount += bytes.count
  }

  func commit() throws(WeightFileError) {
    do throws(FileError) { try writer.commit() } catch {
      throw WeightFileError(.unreadable(error), file: writer.path)
    }
  }
}
