import Dispatch
import Glibc
import Synchronization

/// Ctrl-C and SIGTERM as a request to stop: the first is obeyed in order, the second at once.
final class Interruption: Sendable {
  static let shared = Interruption()

  private struct State {
    var signal: Int32?
    var stop: (@Sendable () -> Void)?
    var sources: [any DispatchSourceSignal] = []
  }
  private let state = Mutex(State())

  /// The signal that asked this process to stop, if one did.
  var signal: Int32? { state.withLock { $0.signal } }

  /// The exit code for a stop by the signal: 130 for Ctrl-C, 143 for SIGTERM.
  var exitCode: Int32 { 128 + (signal ?? SIGINT) }

  /// Calls `stop` on the first signal; a second one ends the process at once.
  ///
  /// - Parameter stop: Takes the place of the one given before.
  func watch(_ stop: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.stop = stop
      guard state.sources.isEmpty else { return }
      for number in [SIGINT, SIGTERM] {
        Glibc.signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { [self] in receive(number) }
        source.resume()
        state.sources.append(source)
      }
    }
  }

  private func receive(_ number: Int32) {
    let stop = state.withLock { state in
      guard state.signal == nil else { _exit(128 + number) }
      state.signal = number
      return state.stop
    }
    stop?()
  }
}
