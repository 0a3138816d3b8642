public import DurableFiles
public import TensorEngine
import ZipFiles

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
    try WeightReader(safeTensors: ByteSource.weights(path)).file()
  }

  /// Parses the bytes of a file; `name` stands in messages.
  public static func parse(_ bytes: [UInt8], name: String) throws(WeightFileError) -> WeightFile {
    try WeightReader(safeTensors: .bytes(bytes, name: name)).file()
  }

  /// The table of contents, and where the numbers begin.
  static func header(
    of source: ByteSource
  ) throws(WeightFileError) -> (header: SafeTensorsHeader, dataStart: Int) {
    guard source.size >= lengthBytes else {
      throw WeightFileError(
        .truncated(expected: lengthBytes, actual: source.size), file: source.name)
    }
    let length = try source.bytes(lengthBytes, at: 0).littleEndian(0, lengthBytes)
    guard length <= mostHeaderBytes else {
      throw WeightFileError(.headerTooLong(bytes: length), file: source.name)
    }
    let dataStart = lengthBytes + Int(length)
    guard source.size >= dataStart else {
      throw WeightFileError(
        .truncated(expected: dataStart, actual: source.size), file: source.name)
    }
    let header = try SafeTensorsHeader(
      json: source.bytes(Int(length), at: lengthBytes), dataBytes: source.size - dataStart,
      file: source.name)
    return (header, dataStart)
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
    do throws(WeightFileError) {
      try write(tensors, as: .float32, metadata: metadata, to: path)
    } catch {
      guard case .unreadable(let cause) = error.reason else {
        preconditionFailure("no Float is too large for F32: \(error)")
      }
      throw cause
    }
  }

  /// As ``write(_:metadata:to:)``, in another precision.
  ///
  /// - Throws: ``WeightFileError`` where a value is too large for the precision, or the disk refuses.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], as precision: WeightPrecision,
    metadata: [String: String] = [:], to path: String
  ) throws(WeightFileError) {
    let sorted = tensors.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    for (one, next) in zip(sorted, sorted.dropFirst()) {
      precondition(one.name != next.name, "\(path): two tensors are named \(one.name)")
    }
    let sink = try WeightSink(path)
    try sink.write(header(of: sorted, as: precision.format, metadata: metadata))
    for (name, tensor) in sorted {
      try sink.write(precision.bytes(of: tensor, name: name, file: path))
    }
    try sink.commit()
  }

  /// Length and JSON, filled up with spaces so that the numbers begin at a multiple of eight.
  private static func header(
    of tensors: [(name: String, tensor: Tensor)], as format: NumberFormat,
    metadata: [String: String]
  ) -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      let pairs = sorted.map { "\(quoted($0.key)):\(quoted($0.value))" }
      fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for (name, tensor) in tensors {
      let end = offset + tensor.count * format.byteCount
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\(quoted(name)):{\"dtype\":\"\(format.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
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
}
