public import Autograd
public import Collectives

/// What is trained: the parameters, the loss and its gradients.
///
/// A task is split over ranks by summation: the shares of loss, of every gradient and of every scalar
/// that the ranks compute must sum to those of the global batch.
public protocol TrainingTask: AnyObject {
  associatedtype Batch: Sendable

  /// In an order that is the same on every rank.
  var parameters: [(name: String, variable: Variable)] { get }

  /// What no gradient trains but a checkpoint must hold, such as running statistics.
  ///
  /// Each rank moves its own; those of rank 0 are kept, and begin a run on every rank.
  var buffers: [(name: String, variable: Variable)] { get }

  /// Names of the values that ``backward(_:in:)`` reports beside the loss.
  var scalarNames: [String] { get }

  /// Computes this rank's share of the loss and leaves its share of the gradients in the parameters.
  ///
  /// All ranks call it at the same time, each with its slice of the global batch; it may use
  /// the group's collectives.
  ///
  /// - Returns: The share of the loss, and of the values named by ``scalarNames``.
  func backward(_ batch: Batch, in group: ProcessGroup) throws -> (loss: Float, scalars: [Float])

  /// Called after each optimizer step, for what must hold of the parameters.
  func afterStep()

  /// Seconds that ``backward(_:in:)`` has spent so far in its two passes, collectives aside.
  var seconds: TaskSeconds { get }

  /// What a batch's samples are called, for messages.
  func keys(of batch: Batch) -> [String]

  /// Text tokens of a batch that are computed.
  func tokenCount(of batch: Batch) -> Int
}

/// Seconds since the start; a task that does not tell them has none.
public struct TaskSeconds: Sendable, Equatable {
  public var forward = 0.0
  public var backward = 0.0

  public init() {}
}

extension TrainingTask {
  public var buffers: [(name: String, variable: Variable)] { [] }
  public var scalarNames: [String] { [] }
  public func afterStep() {}
  public var seconds: TaskSeconds { TaskSeconds() }
  public func keys(of batch: Batch) -> [String] { [] }
  public func tokenCount(of batch: Batch) -> Int { 0 }
}
