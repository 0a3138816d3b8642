public import DurableFiles
public import TensorEngine

/// Named tensors as they stand in a weight file.
public struct WeightFile: Sendable {
  public var tensors: [String: Tensor]
  public var metadata: [String: String]
  /// Where they came from, for messages.
  public var name: String

  public init(tensors: [String: Tensor], metadata: [String: String] = [:], name: String) {
    self.tensors = tensors
    self.metadata = metadata
    self.name = name
  }
}

/// The safetensors format: eight bytes of length, a JSON header, numbers.
///
/// Every length is checked before memory is taken for it; offsets must cover the data without gap or
/// overlap. All types of number are read as Float; Float is written, tensors sorted by name, so the same
/// tensors give the same bytes.
///
/// Source: https://github.com/huggingface/safetensors#format
public enum SafeTensors {
  /// The longest header that the format allows.
  public static let mostHeaderBytes = 100_000_000
  private static let lengthBytes = 8

  /// Reads a file, one tensor after the other.
  ///
  /// Needs memory for the tensors and once more for the largest.
  public static func read(_ path: String) throws(WeightFileError) -> WeightFile {
    do {
      return try read(name: path, byteCount: DurableFile.size(of: path)) {
        count, offset throws(FileError) in try DurableFile.read(path, count: count, at: offset)
      }
    } catch let error as FileError {
      throw WeightFileError(.unreadable(error), file: path)
    } catch let error as WeightFileError {
      throw error
    } catch {
      preconditionFailure("reading threw \(error)")
    }
  }

  /// Parses the bytes of a file; `name` stands in messages.
  public static func parse(_ bytes: [UInt8], name: String) throws(WeightFileError) -> WeightFile {
    do {
      return try read(name: name, byteCount: bytes.count) { count, offset in
        Array(bytes[offset..<(offset + count)])
      }
    } catch let error as WeightFileError {
      throw error
    } catch {
      preconditionFailure("parsing threw \(error)")
    }
  }

  private static func read(
    name: String, byteCount: Int, bytes: (_ count: Int, _ offset: Int) throws -> [UInt8]
  ) throws -> WeightFile {
    guard byteCount >= lengthBytes else {
      throw WeightFileError(.truncated(expected: lengthBytes, actual: byteCount), file: name)
    }
    let length = try bytes(lengthBytes, 0).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= mostHeaderBytes else {
      throw WeightFileError(.headerTooLong(bytes: length), file: name)
    }
    let dataStart = lengthBytes + Int(length)
    guard byteCount >= dataStart else {
      throw WeightFileError(.truncated(expected: dataStart, actual: byteCount), file: name)
    }
    let header = try SafeTensorsHeader(
      json: bytes(Int(length), lengthBytes), dataBytes: byteCount - dataStart, file: name)

    var file = WeightFile(tensors: [:], metadata: header.metadata, name: name)
    file.tensors.reserveCapacity(header.entries.count)
    for entry in header.entries {
      let count = entry.end - entry.begin
      let numbers = try bytes(count, dataStart + entry.begin)
      guard numbers.count == count else {  // The file has shrunk since its size was asked.
        throw WeightFileError(
          .truncated(expected: count, actual: numbers.count), file: name, tensor: entry.name)
      }
      file.tensors[entry.name] = entry.format.tensor(shape: entry.shape, numbers)
    }
    return file
  }

  /// Publishes `tensors` as F32 under `path`, all at once.
  ///
  /// - Parameters:
  ///   - tensors: Names must differ.
  ///   - metadata: Strings that stand in the header.
  ///   - path: The file, replaced if it is there.
  /// - Throws: `FileError` when the disk refuses.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to path: String
  ) throws(FileError) {
    let sorted = tensors.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    for (one, next) in zip(sorted, sorted.dropFirst()) {
      precondition(one.name != next.name, "\(path): two tensors are named \(one.name)")
    }
    let writer = try DurableFileWriter(path)
    try writer.write(header(of: sorted, metadata: metadata))
    for (_, tensor) in sorted { try writer.write(bytes(of: tensor)) }
    try writer.commit()
  }

  /// Length and JSON, filled up with spaces so that the numbers begin at a multiple of eight.
  private static func header(
    of tensors: [(name: String, tensor: Tensor)], metadata: [String: String]
  ) -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      let pairs = sorted.map { "\(quoted($0.key)):\(quoted($0.value))" }
      fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for (name, tensor) in tensors {
      let end = offset + tensor.count * MemoryLayout<Float>.size
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\(quoted(name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
      )
      offset = end
    }
    var json = Array("{\(fields.joined(separator: ","))}".utf8)
    while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
    return (0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) } + json
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func bytes(of tensor: Tensor) -> [UInt8] {
    // The format is little-endian, and so is every machine that has AVX2.
    tensor.withSpan { floats in unsafe floats.withUnsafeBytes { unsafe Array($0) } }
  }
}
