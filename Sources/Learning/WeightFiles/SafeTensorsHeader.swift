import FoundationEssentials

/// The checked table of contents of a safetensors file.
struct SafeTensorsHeader {
  struct Entry {
    var name: String
    var format: NumberFormat
    var shape: [Int]
    /// Offsets into the data that follows the header.
    var begin: Int
    var end: Int
  }

  /// In the order of their bytes.
  var entries: [Entry]
  var metadata: [String: String]

  /// Parses the JSON and checks every length in it against the `dataBytes` that follow.
  init(json: [UInt8], dataBytes: Int, file: String) throws(WeightFileError) {
    let document: Document
    do {
      document = try JSONDecoder().decode(Document.self, from: Data(json))
    } catch {
      throw WeightFileError(.malformedHeader(Self.explained(error)), file: file)
    }
    metadata = document.metadata
    entries = []
    for (name, raw) in document.tensors {
      entries.append(try Self.checked(name, raw, dataBytes: dataBytes, file: file))
    }
    entries.sort { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }

    var covered = 0
    var previous = ""
    for entry in entries {
      if entry.begin < covered {
        throw WeightFileError(.overlap(with: previous), file: file, tensor: entry.name)
      }
      if entry.begin > covered {
        throw WeightFileError(.gap(bytes: entry.begin - covered), file: file, tensor: entry.name)
      }
      covered = entry.end
      previous = entry.name
    }
    if covered != dataBytes { throw WeightFileError(.gap(bytes: dataBytes - covered), file: file) }
  }

  private static func checked(
    _ name: String, _ raw: Document.Tensor, dataBytes: Int, file: String
  ) throws(WeightFileError) -> Entry {
    func fail(_ reason: WeightFileError.Reason) -> WeightFileError {
      WeightFileError(reason, file: file, tensor: name)
    }
    guard let format = NumberFormat(rawValue: raw.dtype) else {
      throw fail(.unsupportedType(raw.dtype))
    }
    guard raw.data_offsets.count == 2 else {
      throw fail(.malformedHeader("data_offsets holds \(raw.data_offsets.count) numbers, not 2"))
    }
    let (begin, end) = (raw.data_offsets[0], raw.data_offsets[1])
    guard begin >= 0, begin <= end, end <= dataBytes else {
      throw fail(.outOfRange(begin: begin, end: end, dataBytes: dataBytes))
    }
    guard TorchTensor.isPossible(raw.shape) else { throw fail(.impossibleShape(raw.shape)) }
    let bytes = raw.shape.reduce(format.byteCount, *)
    guard bytes == end - begin else {
      throw fail(.wrongLength(expected: bytes, actual: end - begin))
    }
    return Entry(name: name, format: format, shape: raw.shape, begin: begin, end: end)
  }

  private static func explained(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context),
      .valueNotFound(_, let context):
      context.codingPath.map(\.stringValue).joined(separator: ".")
        + (context.codingPath.isEmpty ? "" : ": ") + context.debugDescription
    default: "\(error)"
    }
  }

  /// The JSON as it stands.
  ///
  /// `{"__metadata__": {…}, "name": {"dtype": …, "shape": […], "data_offsets": [begin, end]}, …}`
  private struct Document: Decodable {
    struct Tensor: Decodable {
      var dtype: String
      var shape: [Int]
      var data_offsets: [Int]
    }

    struct Name: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    var tensors: [(String, Tensor)] = []
    var metadata: [String: String] = [:]

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Name.self)
      for key in container.allKeys {
        if key.stringValue == "__metadata__" {
          metadata = try container.decode([String: String].self, forKey: key)
        } else {
          tensors.append((key.stringValue, try container.decode(Tensor.self, forKey: key)))
        }
      }
    }
  }
}
