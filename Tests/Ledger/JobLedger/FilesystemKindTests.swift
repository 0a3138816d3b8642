import Foundation
import JobLedger
import Testing

/// Folders on network filesystems, by injected facts, and the local folder of the tests.
@Suite struct FilesystemKindTests {
  /// A mount table as proc(5) shows it, with a mount of `type` on `/data/a b`.
  private static func mountinfo(_ type: String) -> String {
    """
    22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
    25 22 0:23 / /data rw,relatime - tmpfs tmpfs rw
    36 25 0:40 /root /data/a\\040b rw,noatime master:1 shared:3 - \(type) server:/export rw,vers=4.2
    37 22 0:41 / /dat rw - xfs /dev/vdb rw

    """
  }

  @Test(
    "what other hosts can mount is refused by its type",
    arguments: [
      "nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "ceph", "glusterfs", "9p", "afs", "beegfs",
      "fuse.sshfs", "fuse.glusterfs", "fuse.ceph-fuse", "fuse.s3fs", "fuse.rclone",
    ])
  func types(_ type: String) {
    let table = Self.mountinfo(type)
    func kind(_ folder: String) -> String? {
      FilesystemKind.network(folder: folder, magic: 0xEF53, mountinfo: table)
    }
    #expect(kind("/data/a b/run") == type)
    #expect(kind("/data/a b") == type)
    // Beside the mount, and where only the name begins alike.
    #expect(kind("/data/a bc") == nil)
    #expect(kind("/data") == nil)
    #expect(kind("/date") == nil)
  }

  @Test(
    "local filesystems are taken, also those of fuse",
    arguments: [
      "ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "virtiofs", "fuseblk", "fuse.ntfs-3g",
      "fuse.gocryptfs", "fuse.bindfs", "fuse.fuse-overlayfs", "fuse.mergerfs",
    ])
  func local(_ type: String) {
    #expect(
      FilesystemKind.network(
        folder: "/data/a b/run", magic: 0x6573_5546, mountinfo: Self.mountinfo(type)) == nil)
  }

  @Test("the number of statfs tells where the mount table does not")
  func numbers() {
    for (magic, kind) in FilesystemKind.networkMagic {
      #expect(FilesystemKind.network(folder: "/x", magic: magic, mountinfo: "") == kind)
      #expect(
        FilesystemKind.network(folder: "/x", magic: magic, mountinfo: Self.mountinfo("ext4"))
          == kind)
    }
    // ext4, xfs, btrfs, tmpfs, overlay, fuse.
    for magic: UInt32 in [
      0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x6573_5546,
    ] {
      #expect(FilesystemKind.network(folder: "/x", magic: magic, mountinfo: "") == nil)
    }
    #expect(FilesystemKind.network(folder: "/x", magic: nil, mountinfo: "no such line") == nil)
  }

  @Test("of mounts on one point the last counts; a line without its parts is passed over")
  func stacked() {
    let below = "36 25 0:40 / /run rw - nfs4 server:/x rw\n"
    let above = "37 25 0:41 / /run rw - ext4 /dev/vdb rw\n36 25 0:40 / /run rw\n"
    #expect(FilesystemKind.network(folder: "/run/d", magic: nil, mountinfo: below + above) == nil)
    #expect(
      FilesystemKind.network(folder: "/run/d", magic: nil, mountinfo: above + below) == "nfs4")
  }

  @Test("the folder of the tests is local, and the refusal says what to do")
  func here() {
    #expect(
      FilesystemKind.network(under: FileManager.default.temporaryDirectory.path + "/x") == nil)
    let text = LedgerError.networkFilesystem(path: "/nfs/run/ledger.sqlite", kind: "nfs4")
      .description
    #expect(text.contains("nfs4") && text.contains("disk of this host"))
  }
}
