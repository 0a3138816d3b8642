import Glibc
import Synchronization

/// A line about work that goes on: a live one on a terminal, else one every five seconds.
final class WorkProgress: Sendable {
  private let last = Mutex(WorkProgress.milliseconds())
  private let interval: Int

  init() { interval = Terminal.isInteractive ? 200 : 5_000 }

  /// Shows `line` where it is time for one; any thread may call.
  func show(_ line: () -> String) {
    let now = Self.milliseconds()
    let isTime = last.withLock { last in
      guard now - last >= interval else { return false }
      last = now
      return true
    }
    guard isTime else { return }
    if Terminal.isInteractive { Terminal.panel([line()]) } else { Terminal.note(line()) }
  }

  private static func milliseconds() -> Int {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
  }
}
