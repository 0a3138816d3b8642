import Foundation

/// What the system says of this process's memory.
enum MemoryStatus {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// A line of /proc/self/status, such as VmHWM (the most resident memory so far), in 2²⁰ bytes.
  static func mebibytes(_ name: String) throws -> Double {
    let bytes = FileManager.default.contents(atPath: "/proc/self/status") ?? Data()
    let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first {
      $0.hasPrefix(name + ":")
    }
    guard let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first,
      let number = Double(kilobytes)
    else { throw Failure(description: "/proc/self/status has no \(name)") }
    return number / 1024
  }
}
