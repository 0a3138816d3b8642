public import DurableFiles

/// Why a weight file cannot be read: the file, the tensor where one is at fault, and what is wrong.
public struct WeightFileError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    case unreadable(FileError)
    /// The file has `actual` bytes where its header wants `expected`.
    case truncated(expected: Int, actual: Int)
    /// The header claims to be longer than the format allows.
    case headerTooLong(bytes: UInt64)
    /// The header is not the JSON that the format asks for.
    case malformedHeader(String)
    /// A type of number that is not read, such as `F8_E4M3`.
    case unsupportedType(String)
    /// A side of the shape is negative, or the sides multiply beyond what a machine can hold.
    case impossibleShape([Int])
    /// The shape needs `expected` bytes, the offsets span `actual`.
    case wrongLength(expected: Int, actual: Int)
    /// The offsets lie outside the file's data, or the end before the begin.
    case outOfRange(begin: Int, end: Int, dataBytes: Int)
    /// The bytes begin before those of the tensor in front end.
    case overlap(with: String)
    /// Bytes before this tensor, or at the end of the file, belong to no tensor.
    case gap(bytes: Int)
  }

  public var reason: Reason
  public var file: String
  public var tensor: String?

  public init(_ reason: Reason, file: String, tensor: String? = nil) {
    self.reason = reason
    self.file = file
    self.tensor = tensor
  }

  public var description: String {
    if case .unreadable(let error) = reason { return error.description }
    let place = tensor.map { "\(file), tensor \($0)" } ?? file
    return "\(place): \(problem). Fetch or export the file again as safetensors."
  }

  private var problem: String {
    switch reason {
    case .unreadable(let error): error.description
    case .truncated(let expected, let actual): "\(actual) bytes where \(expected) are wanted"
    case .headerTooLong(let bytes):
      "a header of \(bytes) bytes; \(SafeTensors.mostHeaderBytes) are allowed"
    case .malformedHeader(let detail): "the header cannot be understood: \(detail)"
    case .unsupportedType(let name):
      "numbers of type \(name); "
        + NumberFormat.allCases.map(\.rawValue).joined(separator: ", ") + " are read"
    case .impossibleShape(let shape): "the shape \(shape) is impossible"
    case .wrongLength(let expected, let actual):
      "its shape needs \(expected) bytes, it has \(actual)"
    case .outOfRange(let begin, let end, let dataBytes):
      "its bytes \(begin) to \(end) are not within the data of \(dataBytes) bytes"
    case .overlap(let other): "its bytes overlap those of \(other)"
    case .gap(let bytes): "\(bytes) bytes belong to no tensor"
    }
  }
}
