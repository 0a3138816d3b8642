import Foundation

/// The processes of this machine, as far as tests look at them.
enum RunProcesses {
  /// The live processes that decode for `parent`.
  static func decoders(of parent: Int32) throws -> [Int32] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
      // A process may end between the listing and the reading.
      guard let identifier = Int32(name), let fields = stat(identifier), fields.state != "Z",
        fields.parent == parent,
        let line = try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8),
        line.contains("decode-worker")
      else { return nil }
      return identifier
    }
  }

  /// Whether it runs; a zombie that its new parent has not yet collected does not.
  static func isLive(_ identifier: Int32) -> Bool {
    stat(identifier).map { $0.state != "Z" } ?? false
  }

  /// Waits until none of them runs.
  ///
  /// - Returns: Those that still run after `seconds`.
  static func end(of identifiers: [Int32], within seconds: Double) -> [Int32] {
    let start = Date.now
    while identifiers.contains(where: isLive), Date.now.timeIntervalSince(start) < seconds {
      sched_yield()
    }
    return identifiers.filter(isLive)
  }

  /// Whether it looks out for a signal, which then no longer ends it by itself.
  static func heeds(_ signal: Int32, _ identifier: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("SigCgt:") }),
      let mask = UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)
    else { return false }
    return mask >> UInt64(signal - 1) & 1 == 1
  }

  private static func stat(_ identifier: Int32) -> (state: Substring, parent: Int32)? {
    guard let text = try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8),
      // Behind the name in parentheses: state, parent (proc(5)).
      let fields = text.split(separator: ")").last?.split(separator: " "), fields.count > 1,
      let parent = Int32(fields[1])
    else { return nil }
    return (fields[0], parent)
  }
}
