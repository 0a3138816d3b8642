import Foundation

/// What Linux says of this process's memory.
enum ProcessMemory {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// A field of /proc/self/status, such as VmHWM, the most there ever was, in 10⁶ bytes.
  ///
  /// Not getrusage: its figure outlives exec, so a child begins with its parent's.
  static func megabytes(_ field: String) throws -> Double {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    guard let text = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first,
      let kibibytes = Double(text)
    else { throw Failure(description: "/proc/self/status has no \(field)") }
    return kibibytes * 1024 / 1e6
  }
}
