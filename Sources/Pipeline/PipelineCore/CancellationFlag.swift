import Synchronization

/// Carries a task's cancellation to threads that are no part of the task.
public final class CancellationFlag: Sendable {
  private let flag = Atomic<Bool>(false)

  public init() {}

  public var isSet: Bool { flag.load(ordering: .relaxed) }

  /// Ends the work by an error when it has been called off.
  public func check() throws {
    if isSet { throw CancellationError() }
  }

  /// Runs `body` with a flag that is set when the task is cancelled.
  public static func watch<T: Sendable>(
    _ body: (CancellationFlag) async throws -> T
  ) async throws -> T {
    let flag = CancellationFlag()
    return try await withTaskCancellationHandler {
      try await body(flag)
    } onCancel: {
      flag.flag.store(true, ordering: .relaxed)
    }
  }
}
