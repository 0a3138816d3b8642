/// What a folder lies on, as far as a database file cares: a local disk, or what other hosts can reach.
///
/// SQLite's write-ahead log keeps its index in memory that processes share by mmap, "so all processes
/// using a database must be on the same host computer; WAL does not work over a network filesystem"
/// (sqlite.org/wal.html); nor can file locks there be relied on (sqlite.org/howtocorrupt.html, 2.1).
package enum FilesystemKind {
  /// statfs(2)'s f_type of filesystems that several hosts mount, with their names.
  package static let networkMagic: [UInt32: String] = [
    0x6969: "nfs", 0x517B: "smb", 0xFF53_4D42: "cifs", 0xFE53_4D42: "smb2", 0x564C: "ncp",
    0x5346_414F: "afs", 0x6B41_4653: "afs", 0x7375_7245: "coda", 0x0102_1997: "9p",
    0x00C3_6400: "ceph", 0x0BD0_0BD0: "lustre", 0x4750_4653: "gpfs", 0x1983_0326: "beegfs",
    0xAAD7_AAEA: "panfs", 0x2003_0528: "pvfs2", 0x7461_636F: "ocfs2", 0x0116_1970: "gfs2",
    0x786F_4256: "vboxsf", 0x013111A8: "ibrix", 0x1BAD_FACE: "vmhgfs",
  ]

  /// The same by the names of `/proc/self/mountinfo`.
  package static let networkTypes: Set<String> = [
    "nfs", "nfs4", "smb3", "smbfs", "cifs", "ncpfs", "afs", "coda", "9p", "ceph", "lustre", "gpfs",
    "mmfs", "glusterfs", "beegfs", "beegfs_nodev", "panfs", "pvfs2", "orangefs", "ocfs2", "gfs",
    "gfs2", "vboxsf", "vmhgfs", "acfs", "davfs", "wekafs", "ibrix",
  ]

  /// What fuse serves from elsewhere (`fuse.NAME` in mountinfo); other fuse filesystems are local.
  package static let networkFuse: Set<String> = [
    "sshfs", "glusterfs", "ceph", "ceph-fuse", "s3fs", "goofys", "rclone", "gcsfuse", "juicefs",
    "mountpoint-s3", "mount-s3", "s3ql", "davfs2", "davfs", "curlftpfs", "mfs", "moosefs",
    "lizardfs", "sfs", "seaweedfs", "weed", "blobfuse", "blobfuse2", "dfuse", "beegfs", "nfs",
    "fuse-nfs", "smbnetfs", "hdfs", "alluxio-fuse", "vmhgfs-fuse", "gpfs", "geesefs", "cunoFS",
  ]

  /// The network filesystem that holds a folder, nil when it is local.
  ///
  /// - Parameters:
  ///   - folder: Absolute, without symbolic links.
  ///   - magic: statfs's f_type of it; nil when the call failed.
  ///   - mountinfo: The text of `/proc/self/mountinfo` (proc(5)).
  /// - Returns: Its type, for a message.
  package static func network(folder: String, magic: UInt32?, mountinfo: String) -> String? {
    if let type = type(of: folder, mountinfo: mountinfo) {
      if networkTypes.contains(type) { return type }
      if type.hasPrefix("fuse."), networkFuse.contains(String(type.dropFirst("fuse.".count))) {
        return type
      }
    }
    // Where the mount is not to be seen, as in some containers, the number still tells.
    return magic.flatMap { networkMagic[$0] }
  }

  /// The type of the mount that a folder lies on: of the longest mount point above it, the last mounted.
  private static func type(of folder: String, mountinfo: String) -> String? {
    var best: (length: Int, type: String)?
    for line in mountinfo.split(separator: "\n") {
      // 36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw
      let fields = line.split(separator: " ")
      guard fields.count > 6, let dash = fields.dropFirst(6).firstIndex(of: "-"),
        dash + 1 < fields.count
      else { continue }
      let point = unescaped(fields[4])
      let prefix = point.hasSuffix("/") ? point : point + "/"
      guard folder == point || folder.hasPrefix(prefix), point.utf8.count >= best?.length ?? 0
      else { continue }
      best = (point.utf8.count, String(fields[dash + 1]))
    }
    return best?.type
  }

  /// A path of mountinfo, where space, tab, newline and backslash are `\` and three octal digits.
  private static func unescaped(_ field: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(field.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      guard byte == UInt8(ascii: "\\"), digits.count == 3,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      else {
        bytes.append(byte)
        continue
      }
      bytes.append(value)
      rest = rest.dropFirst(3)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
