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
    /// The file is something else than weights, and what to do instead.
    case otherFormat(String, advice: String)
    /// The ZIP archive is damaged.
    case archive(String)
    /// The pickle is damaged or asks for what is not read; `offset` counts bytes into it.
    case pickle(String, offset: Int)
    /// The pickle names a class or function that is not on the list; nothing was run.
    case unknownGlobal(module: String, name: String, offset: Int)
    /// A tensor looks outside its storage.
    case outsideStorage(elements: Int)
    /// No state dict was found; what stands there instead.
    case noTensors(String)
    /// The index of a sharded checkpoint is wrong.
    case index(String)
    /// A value is too large for the type of number that is to be written.
    case overflow(type: String)
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
    return Self.printable("\(place): \(problem). \(advice)")
  }

  /// Names come from the file, which must not steer the terminal.
  private static func printable(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: line += "\u{FFFD}"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
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
    case .otherFormat(let what, _): "it is \(what)"
    case .archive(let problem): "the ZIP archive is damaged or not torch's: \(problem)"
    case .pickle(let problem, let offset): "data.pkl, byte \(offset): \(problem)"
    case .unknownGlobal(let module, let name, let offset):
      "data.pkl, byte \(offset): asks for \(module).\(name), which is not on the list of what may "
        + "stand in a weight file; nothing was run"
    case .outsideStorage(let elements):
      "it looks outside its storage of \(elements) numbers"
    case .noTensors(let there): "no weights were found: \(there)"
    case .index(let problem): "the index of shards is wrong: \(problem)"
    case .overflow(let type): "a value is too large for \(type)"
    }
  }

  private var advice: String {
    switch reason {
    case .otherFormat(_, let advice): advice
    case .unknownGlobal, .pickle:
      "Where you trust the file, save its weights alone with the program that made it: "
        + "torch.save(model.state_dict(), FILE), or safetensors.torch.save_file."
    case .noTensors: "Give a state dict, or a checkpoint that holds one as state_dict or model."
    case .index: "Fetch the index and all shards that it names into one folder."
    case .overflow: "Write float32 or bfloat16."
    case .archive, .outsideStorage, .truncated:
      "Fetch the file again; it may have been cut off or changed on the way."
    default: "Fetch or export the file again as safetensors."
    }
  }
}
