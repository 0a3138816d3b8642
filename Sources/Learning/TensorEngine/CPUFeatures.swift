import Glibc

/// What the kernels of tensors, pictures and hashes need from the processor.
public enum CPUFeatures {
  /// The needed features that the text of /proc/cpuinfo does not list for every core.
  ///
  /// - Parameter cpuinfo: The text; one without a `flags` line lacks everything.
  /// - Returns: A part of `["AVX2", "BMI2", "FMA"]`, in this order.
  public static func missing(cpuinfo: String) -> [String] {
    let cores = cpuinfo.split(separator: "\n").compactMap { line -> Set<Substring>? in
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].trimmed == "flags" else { return nil }
      return Set(parts[1].split(whereSeparator: { $0 == " " || $0 == "\t" }))
    }
    return ["AVX2", "BMI2", "FMA"].filter { name in
      cores.isEmpty || !cores.allSatisfy { $0.contains(Substring(name.lowercased())) }
    }
  }

  /// Ends the process with exit code 2 and one line on stderr on a processor that lacks a feature.
  ///
  /// Call it before anything else: the kernels would die of an illegal instruction.
  public static func requireOrExit() {
    let lacking = missing(cpuinfo: readCPUInfo())
    guard !lacking.isEmpty else { return }
    let line =
      "pairloom needs a CPU with AVX2, BMI2 and FMA; this one lacks "
      + lacking.joined(separator: " and ") + ". Run it on x86-64-v3 hardware (2013 or later).\n"
    // Nobody is left to tell if stderr is closed.
    _ = unsafe Array(line.utf8).withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
    exit(2)
  }

  private static func readCPUInfo() -> String {
    guard let file = unsafe fopen("/proc/cpuinfo", "r") else { return "" }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let size = buffer.count
      let got = unsafe buffer.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, size, file) }
      guard got > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer.prefix(got)
    }
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var text = self
    while let last = text.last, last.isWhitespace { text.removeLast() }
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    return text
  }
}
