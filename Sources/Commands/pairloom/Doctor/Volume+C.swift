import DurableFiles
import Foundation
import Glibc

/// The file system under a folder, and how it takes an fsync.
package struct Volume: Sendable, Equatable {
  package var path: String
  package var freeBytes: Double
  /// nil where the file system has no fixed number of files.
  package var freeFiles: Double?
  /// Its name, or the magic number where that is unknown.
  package var kind: String
  /// Files live on another machine, where SQLite's locks and memory map do not hold.
  package var isNetwork: Bool
  /// Median seconds of writing 4 KiB and fsync; nil where it failed.
  package var fsyncSeconds: Double?
  /// Why nothing can be written there; nil where it can.
  package var problem: String?

  package init(
    path: String, freeBytes: Double, freeFiles: Double?, kind: String, isNetwork: Bool,
    fsyncSeconds: Double?, problem: String? = nil
  ) {
    self.path = path
    self.freeBytes = freeBytes
    self.freeFiles = freeFiles
    self.kind = kind
    self.isNetwork = isNetwork
    self.fsyncSeconds = fsyncSeconds
    self.problem = problem
  }

  /// As the kernel names them in mountinfo.
  private static let networks: Set<String> = [
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "gpfs", "ocfs2", "gfs2",
    "beegfs", "coda", "ncpfs", "pvfs2", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.ceph",
    "fuse.glusterfs", "fuse.mount-s3", "fuse.rclone", "fuse.juicefs",
  ]

  /// The file system that holds an absolute path without symbolic links (proc(5), mountinfo).
  ///
  /// - Returns: Its kind, "unknown" where no line covers the path, and whether it is remote.
  package static func kind(of path: String, mountinfo: String) -> (name: String, isNetwork: Bool) {
    var best = (length: -1, kind: "unknown")
    for line in mountinfo.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 6, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else {
        continue
      }
      let mount = unescaped(fields[4])
      let isAbove = mount == "/" || path == mount || path.hasPrefix(mount + "/")
      // Of two on the same place the later one covers the other.
      if isAbove && mount.count >= best.length { best = (mount.count, String(fields[dash + 1])) }
    }
    return (best.kind, networks.contains(best.kind))
  }

  /// A path of mountinfo: blanks, tabs, line feeds and backslashes stand as three octal digits.
  private static func unescaped(_ field: Substring) -> String {
    var text = String(field)
    for (code, character) in [("040", " "), ("011", "\t"), ("012", "\n"), ("134", "\\")] {
      text = text.split(separator: "\\" + code, omittingEmptySubsequences: false)
        .joined(separator: character)
    }
    return text
  }

  /// Looks at the file system of `folder`, or of its nearest parent that is there.
  ///
  /// Writes a small file there and removes it. Blocks as long as the file system does.
  static func of(_ folder: String) -> Volume {
    var path = folder.isEmpty ? "." : folder
    while !DurableFile.exists(path) {
      guard let slash = path.lastIndex(of: "/") else {
        path = "."
        break
      }
      path = slash == path.startIndex ? "/" : String(path[..<slash])
    }
    var space = statvfs()
    guard unsafe statvfs(path, &space) == 0 else {
      return Volume(
        path: path, freeBytes: 0, freeFiles: nil, kind: "unknown", isNetwork: false,
        fsyncSeconds: nil, problem: unsafe String(cString: strerror(errno)))
    }
    // Without /proc the kind is unknown, and no ground for a refusal.
    let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
    let kind = kind(
      of: URL(fileURLWithPath: path).resolvingSymlinksInPath().path, mountinfo: mounts)
    var volume = Volume(
      path: path, freeBytes: Double(space.f_bavail) * Double(space.f_frsize),
      freeFiles: space.f_files == 0 ? nil : Double(space.f_favail), kind: kind.name,
      isNetwork: kind.isNetwork, fsyncSeconds: nil)
    switch fsyncTime(in: path) {
    case .success(let seconds): volume.fsyncSeconds = seconds
    case .failure(let error): volume.problem = error.words
    }
    return volume
  }

  private struct Refusal: Error {
    var words: String
  }

  private static func fsyncTime(in folder: String) -> Result<Double, Refusal> {
    let path = "\(folder)/.pairloom-doctor-\(getpid())"
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    func refusal(_ call: String) -> Refusal {
      let words = unsafe String(cString: strerror(errno))
      return Refusal(words: "\(call): \(words)")
    }
    guard file >= 0 else { return .failure(refusal("cannot write in it")) }
    defer {
      close(file)
      _ = unsafe unlink(path)
    }
    let block = [UInt8](repeating: 0x5A, count: 4096)
    let clock = ContinuousClock()
    var times: [Double] = []
    for _ in 0..<9 {
      let start = clock.now
      guard unsafe write(file, block, block.count) == block.count else {
        return .failure(refusal("write"))
      }
      guard fsync(file) == 0 else { return .failure(refusal("fsync")) }
      times.append((clock.now - start) / .seconds(1))
    }
    return .success(times.sorted()[times.count / 2])
  }
}
