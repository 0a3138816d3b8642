import Glibc
import Synchronization

/// What a person sees while a command works: a live panel on a terminal, else plain lines.
enum Terminal {
  static let isInteractive = isatty(STDERR_FILENO) == 1
  private static let panelHeight = Mutex(0)

  /// Writes a line to standard output.
  static func print(_ line: String) {
    clearPanel()
    write(line + "\n", to: STDOUT_FILENO)
  }

  /// Writes a line about progress to standard error.
  static func note(_ line: String) {
    clearPanel()
    write(line + "\n", to: STDERR_FILENO)
  }

  /// Draws `lines` in place of the panel drawn before; only on a terminal.
  static func panel(_ lines: [String]) {
    guard isInteractive else { return }
    panelHeight.withLock { height in
      var text = height > 0 ? "\u{1B}[\(height)A" : ""
      let rows = lines.flatMap { wrapped($0, to: width) }
      for row in rows { text += "\u{1B}[2K" + row + "\n" }
      // A panel that shrank leaves no old line behind.
      text += "\u{1B}[0J"
      write(text, to: STDERR_FILENO)
      height = rows.count
    }
  }

  /// Leaves the panel as it stands; what comes next goes below it.
  static func keepPanel() { panelHeight.withLock { $0 = 0 } }

  /// Says what went wrong and ends the program.
  static func fail(_ message: String, code: Int32) -> Never {
    keepPanel()
    write("pairloom: " + message + "\n", to: STDERR_FILENO)
    exit(code)
  }

  /// A line cut at blanks into rows that fit; rows after the first are indented.
  static func wrapped(_ line: String, to width: Int) -> [String] {
    guard line.count > width else { return [line] }
    var rows: [String] = []
    var row = ""
    for word in line.split(separator: " ", omittingEmptySubsequences: false) {
      let longer = row.isEmpty ? String(word) : row + " " + word
      if longer.count <= width || row.isEmpty {
        row = String(longer.prefix(width))
      } else {
        rows.append(row)
        row = String(("  " + word).prefix(width))
      }
    }
    return rows + [row]
  }

  private static var width: Int { size.columns }

  /// What a panel may fill, 80 by 24 where it cannot be told.
  struct Size {
    var columns = 80
    var rows = 24
  }

  /// The terminal's size.
  static var size: Size {
    var size = winsize()
    guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
      size.ws_row > 0
    else { return Size() }
    return Size(columns: Int(size.ws_col), rows: Int(size.ws_row))
  }

  private static func clearPanel() {
    panelHeight.withLock { height in
      if height > 0 { write("\u{1B}[\(height)A\u{1B}[0J", to: STDERR_FILENO) }
      height = 0
    }
  }

  private static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      // A closed pipe ends the text, not the work.
      if count < 0 && errno != EINTR { return }
      bytes = bytes.dropFirst(max(0, count))
    }
  }
}
