import Glibc

/// Standard output of a command whose text is all its work: buffered, and over when nobody reads on.
final class StandardOutput {
  /// The reader has closed the pipe, as `head` does.
  struct Closed: Error {}

  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  private var pending: [UInt8] = []
  private static let size = 1 << 16

  /// Runs `body` and writes what is left; a closed pipe ends it quietly.
  static func stream(_ body: (StandardOutput) throws -> Void) throws {
    let output = StandardOutput()
    do {
      do {
        try body(output)
      } catch let error where !(error is Closed) {
        // What was written before the error is the reader's.
        try output.flush()
        throw error
      }
      try output.flush()
    } catch is Closed {}
  }

  func write(_ bytes: [UInt8]) throws {
    pending += bytes
    if pending.count >= Self.size { try flush() }
  }

  func line(_ text: String) throws { try write(Array((text + "\n").utf8)) }

  private func flush() throws {
    var rest = pending[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
      }
      if count < 0 {
        if errno == EINTR { continue }
        pending = []
        if errno == EPIPE { throw Closed() }
        throw CommandFailure(
          description: "standard output: \(unsafe String(cString: strerror(errno)))", code: 1)
      }
      rest = rest.dropFirst(count)
    }
    pending.removeAll(keepingCapacity: true)
  }
}
