/// Whether the folder's disk has room, keeps what it acknowledges, and is this machine's own.
package enum DiskCheck {
  /// A ledger writes some times a second; slower than this and the disk sets the pace.
  private static let slow = 0.05

  package static func finding(_ volume: Volume, needs: RunEstimate) -> Finding {
    let free = Amount.bytes(volume.freeBytes)
    var values = ["free_bytes": volume.freeBytes]
    values["free_files"] = volume.freeFiles
    values["needed_bytes"] = needs.bytes
    values["fsync_seconds"] = volume.fsyncSeconds
    func finding(_ verdict: Finding.Verdict, _ measured: String, _ remedy: String) -> Finding {
      Finding("disk", verdict, measured, remedy: remedy, values: values)
    }
    if volume.isNetwork {
      return finding(
        .fail, "\(volume.path) lies on \(volume.kind), a network file system",
        "the ledger needs a local disk: choose a --folder on one, and copy the shards afterwards")
    }
    guard volume.problem == nil, let fsync = volume.fsyncSeconds else {
      return finding(
        .fail, "\(volume.path): \(volume.problem ?? "fsync failed")",
        "choose a --folder that this user may write in, on a disk without errors (dmesg)")
    }
    if let bytes = needs.bytes, bytes > volume.freeBytes {
      return finding(
        .fail, "\(free) free at \(volume.path), about \(Amount.bytes(bytes)) needed",
        "free some space, choose another --folder, or a smaller --set image_size or --limit")
    }
    if let files = needs.files, let freeFiles = volume.freeFiles, files > freeFiles {
      return finding(
        .fail,
        "room for \(Int(freeFiles)) more files at \(volume.path), about \(Int(files)) needed",
        "make fewer files with a larger --set chunk_rows, or choose another --folder")
    }
    let need = needs.bytes.map { ", about \(Amount.bytes($0)) needed" } ?? ""
    let measured = "\(free) free\(need); \(volume.kind), fsync in \(Amount.seconds(fsync))"
    if let bytes = needs.bytes, bytes > 0.8 * volume.freeBytes {
      return finding(.warn, measured, "that is close: the need is an estimate; free some space")
    }
    if needs.bytes == nil && volume.freeBytes < 1e9 {
      return finding(.warn, measured, "that is about 30,000 pictures of 256²: free some space")
    }
    if fsync > slow {
      return finding(.warn, measured, "a slow disk for a ledger: prefer a local SSD")
    }
    if volume.kind == "9p" || volume.kind.hasPrefix("fuse") {
      return finding(
        .warn, measured,
        "if that is another machine's disk, choose a local --folder: SQLite's locks"
          + " do not hold there")
    }
    return Finding("disk", .ok, measured, values: values)
  }

  static func finding(folder: String, needs: RunEstimate, bound: Double) async -> Finding {
    guard let volume = await within(bound, { Volume.of(folder) }) else {
      return Finding(
        "disk", .fail, "\(folder): the file system does not answer in \(Int(bound)) s",
        remedy: "is it a mount whose server is gone? Choose another --folder")
    }
    return finding(volume, needs: needs)
  }
}
