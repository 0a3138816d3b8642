import ContentHashing
public import TensorEngine

/// Where a run stood: everything but the tensors that it needs to go on.
///
/// The random state needs no place of its own: every draw is addressed by seed and cursor.
public struct CheckpointRecord: Codable, Sendable, Equatable {
  /// Optimizer steps done.
  public var step: Int
  /// Samples consumed since the start, over all epochs and ranks.
  public var cursor: Int
  public var seed: UInt64
  /// Ranks that wrote it; another number continues with other rounding.
  public var worldSize: Int
  /// Hash of what must not change between the parts of one run.
  public var configuration: String

  public init(step: Int, cursor: Int, seed: UInt64, worldSize: Int, configuration: String) {
    self.step = step
    self.cursor = cursor
    self.seed = seed
    self.worldSize = worldSize
    self.configuration = configuration
  }
}

/// Parameters, optimizer state and record of one moment of training.
public struct Checkpoint: Sendable {
  public var parameters: [(name: String, tensor: Tensor)]
  public var optimizer: [(name: String, tensor: Tensor)]
  public var record: CheckpointRecord

  public init(
    parameters: [(name: String, tensor: Tensor)], optimizer: [(name: String, tensor: Tensor)],
    record: CheckpointRecord
  ) {
    self.parameters = parameters
    self.optimizer = optimizer
    self.record = record
  }
}

extension Checkpoint {
  /// SHA-256 over names, shapes and the bits of every value, in the order of the names.
  public static func hash(of tensors: [(name: String, tensor: Tensor)]) -> String {
    var hash = ContentHash()
    update(&hash, tensors)
    return hash.hexDigest()
  }

  static func update(_ hash: inout ContentHash, _ tensors: [(name: String, tensor: Tensor)]) {
    for (name, tensor) in tensors.sorted(by: { $0.name < $1.name }) {
      hash.update(Array("\(name) \(tensor.shape)\n".utf8))
      tensor.withSpan { span in
        var bytes: [UInt8] = []
        bytes.reserveCapacity(span.count * 4)
        for index in span.indices {
          let bits = span[index].bitPattern
          bytes.append(UInt8(truncatingIfNeeded: bits))
          bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
          bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
          bytes.append(UInt8(truncatingIfNeeded: bits >> 24))
        }
        hash.update(bytes)
      }
    }
  }
}
