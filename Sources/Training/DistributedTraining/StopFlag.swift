import Glibc
import Synchronization

/// Whether the run has been asked to end; it then saves a checkpoint after the step it is in.
public final class StopFlag: Sendable {
  private let isRaised = Atomic<Bool>(false)

  public init() {}

  public func raise() { isRaised.store(true, ordering: .relaxed) }

  /// True once raised, or once a signal came that ``raiseOnSignals(secondEnds:)`` watches for.
  public var shouldStop: Bool {
    isRaised.load(ordering: .relaxed) || Self.signal.load(ordering: .relaxed) != 0
  }

  /// The signal that asked to stop, if one did.
  public static var receivedSignal: Int32? {
    let number = signal.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  private static let signal = Atomic<Int32>(0)

  /// Makes SIGTERM and SIGINT raise every flag of this process.
  ///
  /// - Parameter secondEnds: Whether a second signal ends the process at once. A rank passes false: a
  ///   signal to the whole process group reaches it, and its launcher sends another, before the
  ///   checkpoint is written.
  public static func raiseOnSignals(secondEnds: Bool) {
    // Touched here so that the handler never runs an initialiser; a lock-free store is all it does.
    signal.store(0, ordering: .relaxed)
    for number in [SIGTERM, SIGINT] {
      if secondEnds {
        Glibc.signal(number) { number in
          StopFlag.signal.store(number, ordering: .relaxed)
          Glibc.signal(number, SIG_DFL)
        }
      } else {
        Glibc.signal(number) { number in StopFlag.signal.store(number, ordering: .relaxed) }
      }
    }
  }
}
