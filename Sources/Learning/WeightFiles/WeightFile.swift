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

  /// Reads a weight file of any format that ``WeightReader`` tells by its content.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - wrapper: The key to read where a checkpoint holds several state dicts, such as `state_dict_ema`.
  /// - Returns: Every tensor, as Float.
  /// - Throws: ``WeightFileError``.
  public static func read(
    _ path: String, wrapper: String? = nil
  ) throws(WeightFileError) -> WeightFile {
    try WeightReader(path, wrapper: wrapper).file()
  }
}

/// A tensor of a weight file that has not been read yet.
public struct WeightEntry: Sendable, Equatable {
  public let name: String
  public let shape: [Int]
  public let format: NumberFormat

  public var count: Int { shape.reduce(1, *) }
}

/// What a weight file says of itself.
public struct WeightContents: Sendable, Equatable {
  public enum Format: String, Sendable {
    case safeTensors = "safetensors"
    case torch = "torch zip"
    case torchScript = "TorchScript archive"
    case sharded = "sharded checkpoint"
  }

  public var format: Format
  public var byteCount: Int
  /// The strings of a safetensors header, or of the index of shards.
  public var metadata: [String: String] = [:]
  /// The keys that led to the tensors, from the outside, such as `state_dict`.
  public var wrappers: [String] = []
  /// Other keys of the file that hold tensors.
  public var alternatives: [String] = []
  /// Plain numbers and texts beside the tensors, such as `input_resolution`.
  public var facts: [String: String] = [:]
  /// The source text that a TorchScript archive carries; it is never run.
  public var code = ""
}
