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
  /// What must not change, key by key.
  public var settings: [String: String]?
  /// Pairs of all ranks replaced so far.
  public var replacedPairs: Int?
  /// What an evaluation of this very step gave.
  public var evaluation: [String: Double]?

  public init(
    step: Int, cursor: Int, seed: UInt64, worldSize: Int, configuration: String,
    settings: [String: String]? = nil, replacedPairs: Int? = nil,
    evaluation: [String: Double]? = nil
  ) {
    self.step = step
    self.cursor = cursor
    self.seed = seed
    self.worldSize = worldSize
    self.configuration = configuration
    self.settings = settings
    self.replacedPairs = replacedPairs
    self.evaluation = evaluation
  }
}

/// Parameters, optimizer state and record of one moment of training.
public struct Checkpoint: Sendable {
  public var parameters: [(name: String, tensor: Tensor)]
  public var optimizer: [(name: String, tensor: Tensor)]
  /// The moving average of the parameters, where one is kept.
  public var averages: [(name: String, tensor: Tensor)]
  public var record: CheckpointRecord

  public init(
    parameters: [(name: String, tensor: Tensor)], optimizer: [(name: String, tensor: Tensor)],
    averages: [(name: String, tensor: Tensor)] = [], record: CheckpointRecord
  ) {
    self.parameters = parameters
    self.optimizer = optimizer
    self.averages = averages
    self.record = record
  }
}

extension Checkpoint {
  /// Floats that are hashed at once.
  private static let hashedPiece = 1 << 16

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
        // Piece by piece: a copy of a whole table would be as large as the table.
        for start in stride(from: 0, to: span.count, by: hashedPiece) {
          let piece = span.extracting(start..<min(span.count, start + hashedPiece))
          // Little-endian, as is every machine that has AVX2.
          hash.update(unsafe piece.withUnsafeBytes { unsafe Array($0) })
        }
      }
    }
  }
}
