import Glibc

/// The keys of a terminal as they are pressed, without waiting for the end of a line.
struct Keyboard {
  private let before: termios

  /// Nil where standard input is no terminal.
  init?() {
    var settings = termios()
    guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
    before = settings
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
    guard unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0 else { return nil }
  }

  /// Leaves the terminal as it was found.
  func restore() {
    var settings = before
    // A terminal that has gone needs nothing.
    _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings)
  }

  /// The key that is pressed within `time`; nil when none is.
  func key(within time: Duration) -> UInt8? {
    var wanted = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    let milliseconds = Int32(max(1, time / .milliseconds(1)))
    guard unsafe poll(&wanted, 1, milliseconds) > 0, wanted.revents & Int16(POLLIN) != 0 else {
      // A closed input is ready at once, for ever.
      if wanted.revents != 0 { usleep(UInt32(milliseconds) * 1_000) }
      return nil
    }
    var byte: UInt8 = 0
    if unsafe read(STDIN_FILENO, &byte, 1) == 1 { return byte }
    usleep(UInt32(milliseconds) * 1_000)
    return nil
  }
}
