import Glibc

/// Facts about processes of this host, to tell a live lease owner from a dead one.
public enum ProcessIdentity {
  /// The host's name with the identity of its boot: a process number means nothing after a reboot.
  public static func host() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    let name =
      unsafe gethostname(&buffer, buffer.count - 1) == 0
      ? String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      : "localhost"
    let boot = text("/proc/sys/kernel/random/boot_id").prefix(8)
    return boot.isEmpty ? name : "\(name)/\(boot)"
  }

  /// The host's name in what ``host()`` gives: the same after a reboot.
  public static func machine(of host: String) -> String {
    host.lastIndex(of: "/").map { String(host[..<$0]) } ?? host
  }

  /// This process's number.
  public static var processID: Int { Int(getpid()) }

  /// This process as the owner of leases taken by `worker`.
  public static func owner(worker: String) -> LeaseOwner {
    let me = Int(getpid())
    return LeaseOwner(
      host: host(), processID: me, processStart: startTime(of: me) ?? 0, worker: worker)
  }

  /// Whether the process that took a lease still runs; nil when it ran on another host or boot.
  public static func isAlive(_ owner: LeaseOwner) -> Bool? {
    guard owner.host == host() else { return nil }
    guard let start = startTime(of: owner.processID) else { return false }
    return start == owner.processStart
  }

  /// Clock ticks between boot and the start of the process (proc(5), field 22); nil when it is gone.
  static func startTime(of processID: Int) -> Int? {
    let line = text("/proc/\(processID)/stat")
    // Field 2 is the command in parentheses and may hold anything, so count from the last one.
    guard let end = line.lastIndex(of: ")") else { return nil }
    let fields = line[line.index(after: end)...].split(separator: " ")
    // A zombie holds its number but will never report: field 3 is its state.
    guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
    return Int(fields[19])
  }

  private static func text(_ path: String) -> String {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe read(file, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }
}
