import DurableFiles
import Glibc
import WorkerThreads

/// What this machine, or the container on it, lets one process have.
package struct MachineFacts: Sendable, Equatable {
  /// Open files: the soft limit and how far it may be raised.
  package var openFiles: Int
  package var openFilesLimit: Int
  /// Bytes that could be had now, the container's limit included.
  package var availableMemory: Double
  package var cores: Int
  /// Cores' worth of time that the container may use; nil where it has no quota.
  package var coreQuota: Double?

  package init(
    openFiles: Int, openFilesLimit: Int, availableMemory: Double, cores: Int, coreQuota: Double?
  ) {
    self.openFiles = openFiles
    self.openFilesLimit = openFilesLimit
    self.availableMemory = availableMemory
    self.cores = cores
    self.coreQuota = coreQuota
  }

  static func measure() -> MachineFacts {
    var limit = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    func count(_ limit: rlim_t) -> Int { Int(clamping: limit) }
    return MachineFacts(
      openFiles: count(limit.rlim_cur), openFilesLimit: count(limit.rlim_max),
      availableMemory: min(
        availableMemory(meminfo: text("/proc/meminfo")) ?? .infinity,
        groupMemory() ?? .infinity),
      cores: Parallel.coreCount, coreQuota: coreQuota(cpuMax: text("/sys/fs/cgroup/cpu.max")))
  }

  /// MemAvailable of proc(5)'s meminfo, bytes.
  package static func availableMemory(meminfo: String) -> Double? {
    for line in meminfo.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
      return line.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 * 1024 }
    }
    return nil
  }

  /// Cores of a cgroup's `cpu.max`, "QUOTA PERIOD"; nil for "max".
  package static func coreQuota(cpuMax: String) -> Double? {
    let parts = cpuMax.split { $0 == " " || $0 == "\n" }
    guard parts.count == 2, let quota = Double(parts[0]), let period = Double(parts[1]), period > 0
    else { return nil }
    return quota / period
  }

  /// What the cgroup's limit leaves; nil without one (cgroup v2, as in containers).
  private static func groupMemory() -> Double? {
    let root = "/sys/fs/cgroup/"
    func number(_ name: String) -> Double? { Double(text(root + name).filter { $0 != "\n" }) }
    guard let limit = number("memory.max") else { return nil }
    return max(0, limit - (number("memory.current") ?? 0))
  }

  private static func text(_ path: String) -> String {
    // Size 0 in /proc and /sys, so read piece by piece; a file that is not there tells nothing.
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    let count = unsafe read(file, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }
}
