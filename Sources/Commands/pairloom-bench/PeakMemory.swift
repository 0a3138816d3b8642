import Glibc

/// The most memory that this process ever had resident.
enum PeakMemory {
  /// In 2²⁰ bytes.
  static var mebibytes: Double {
    var usage = rusage()
    let result = unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
    precondition(result == 0, "getrusage: errno \(errno)")
    return Double(usage.ru_maxrss) / 1024
  }
}
