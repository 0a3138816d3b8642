internal import CStatfs
import Glibc

extension FilesystemKind {
  /// The network filesystem that the folder of a file lies on, nil when it is local or not there.
  package static func network(under path: String) -> String? {
    let name = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    // What cannot be resolved cannot be opened either, and opening says so better.
    guard let resolved = unsafe realpath(name.isEmpty ? "/" : name, nil) else { return nil }
    defer { unsafe free(resolved) }
    let folder = unsafe String(cString: resolved)
    var facts = statfs()
    let magic =
      unsafe statfs(folder, &facts) == 0 ? UInt32(truncatingIfNeeded: facts.f_type) : nil
    return network(folder: folder, magic: magic, mountinfo: mountinfo())
  }

  private static func mountinfo() -> String {
    let file = unsafe open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe read(file, &buffer, buffer.count)
      guard count > 0 else { return String(decoding: text, as: UTF8.self) }
      text += buffer.prefix(count)
    }
  }
}
