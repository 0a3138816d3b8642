import Glibc

/// Looks again and again, until there is nothing more to see or a person has seen enough.
struct StatusWatch {
  /// Seconds between two looks.
  var interval: Double

  /// Calls `look`, which shows what there is, until it says false: nothing will change any more.
  ///
  /// It is told whether a person watches a panel, which takes the place of the last.
  func run(_ look: (_ redraws: Bool) async throws -> Bool) async throws {
    // A panel goes to standard error; where either is no terminal, lines go to standard output.
    let redraws = Terminal.isInteractive && isatty(STDOUT_FILENO) == 1
    Interruption.shared.watch {}
    let keyboard = redraws ? Keyboard() : nil
    defer { keyboard?.restore() }
    while try await look(redraws) {
      guard wait(keyboard) else { break }
    }
    if redraws { Terminal.keepPanel() }
  }

  /// Waits for the next look; false when the person wants none.
  private func wait(_ keyboard: Keyboard?) -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(interval)
    while clock.now < end {
      if Interruption.shared.signal != nil { return false }
      // Signals arrive on another thread, so the wait is in slices that nobody notices.
      let slice = max(.milliseconds(1), min(.milliseconds(50), end - clock.now))
      if let keyboard {
        if keyboard.key(within: slice) == UInt8(ascii: "q") { return false }
      } else {
        usleep(UInt32(slice / .microseconds(1)))
      }
    }
    return Interruption.shared.signal == nil
  }
}
