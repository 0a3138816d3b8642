import Foundation
import Testing

/// A disk that fills up, and a folder that can no longer be written to, in the midst of a run.
@Suite(.serialized) struct FullDiskTests {
  static let rows = 400

  /// A folder on a file system of its own, gone with its owner.
  final class SmallDisk {
    let path: String
    private let folder: TemporaryFolder

    /// nil where this process may not mount.
    init?(kilobytes: Int) throws {
      folder = try TemporaryFolder()
      path = folder.path + "/disk"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      guard mount("none", path, "tmpfs", 0, "size=\(kilobytes)k") == 0 else { return nil }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    func resize(kilobytes: Int) throws {
      try #require(mount("none", path, "tmpfs", UInt(MS_REMOUNT), "size=\(kilobytes)k") == 0)
    }
  }

  static func command(_ origin: DemoOrigin, _ run: String) -> [String] {
    ["run", "scenes", "--folder", run, "--workers", "2"]
      + [
        "input=\(origin.list)", "chunk_rows=20", "image_size=160", "encode_format=png",
        "encode_quality=6",
        "chunks_in_flight=4",
      ].flatMap { ["--set", $0] }
  }

  static let mayMount: Bool = {
    do { return try SmallDisk(kilobytes: 100) != nil } catch { return false }
  }()

  @Test(
    "a full disk ends the run and says so; with more room the same command ends it",
    .enabled(if: mayMount, "needs the right to mount"), arguments: [30, 55, 80])
  func full(percent: Int) async throws {
    let folder = try TemporaryFolder()
    let origin = try DemoOrigin(rows: Self.rows, seed: 12, folder: folder.path)
    let calm = folder.path + "/calm"
    #expect(try Program.run(Self.command(origin, calm)).status == 0)
    let needed = try contents(of: calm, [""]).values.reduce(0) { $0 + $1.count } / 1_024

    let disk = try #require(try SmallDisk(kilobytes: needed * percent / 100))
    let run = disk.path + "/run"
    let ended = try Program.run(Self.command(origin, run))
    #expect(ended.status == 1, "\(ended.error)")
    #expect(ended.error.contains("Free some space, then run the same command again"))
    let fates = RunFates(run, rows: Self.rows)
    try disk.resize(kilobytes: needed * 4)
    // A lease that could not be handed back for want of room is a dead process's, and known as such.
    let status = try Program.run(["status", run, "--json"])
    #expect(status.output.contains("\"underWay\":[]"), "\(status.output)")
    #expect(try await fates.attempts()[.failed] == nil)
    let names = try FileManager.default.subpathsOfDirectory(atPath: run)
    #expect(names.filter { $0.hasSuffix(".tmp") } == [])
    let verified = try Program.run(["verify", run])
    #expect(verified.output.contains("what is done is well"), "\(verified.output)")

    let again = try Program.run(Self.command(origin, run))
    #expect(again.status == 0, "\(again.error)")
    try fates.expectBytes(of: calm, "\(percent) %")
    try fates.expectNoOrphans("\(percent) %")
  }

  /// How a folder comes not to be written to.
  enum Lock: CaseIterable {
    /// Its mode says so, and the program has no right to pass over modes.
    case mode
    /// A mount over it says so.
    case mount
  }

  /// Becomes the program without root's right to pass over modes; nothing for others.
  static let unprivileged =
    getuid() == 0
    ? ["/usr/bin/setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner"] : []

  static let mayDropRights: Bool = {
    if getuid() != 0 { return true }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: unprivileged[0])
    process.arguments = unprivileged.dropFirst() + [Program.path, "--version"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  private func lock(_ folder: String, _ kind: Lock) throws {
    switch kind {
    case .mode: try #require(chmod(folder, 0o555) == 0)
    case .mount:
      try #require(mount(folder, folder, nil, UInt(MS_BIND), nil) == 0)
      try #require(
        mount(nil, folder, nil, UInt(MS_BIND | MS_REMOUNT | MS_RDONLY), nil) == 0)
    }
  }

  private func unlock(_ folder: String, _ kind: Lock) throws {
    switch kind {
    case .mode: try #require(chmod(folder, 0o755) == 0)
    case .mount: try #require(umount2(folder, Int32(MNT_DETACH)) == 0)
    }
  }

  @Test(
    "a folder that is made read-only ends the run and says so; writable again it is gone on with",
    .enabled(if: mayMount && mayDropRights, "needs the right to mount"),
    arguments: Lock.allCases, ["shards", "fetched"])
  func readOnly(kind: Lock, part: String) async throws {
    let folder = try TemporaryFolder()
    let (calm, run) = (folder.path + "/calm", folder.path + "/run")
    let web = try GatedWeb(rows: 200)
    let list = try web.list(in: folder.path)
    #expect(try Program.run(GatedWeb.command(list, calm, chunkRows: 20)).status == 0)
    web.open(to: 50)
    let command = GatedWeb.command(list, run, chunkRows: 20)
    let program = try RunningProgram(
      command, in: folder.path, through: kind == .mode ? Self.unprivileged : [])
    // Two chunks are through; the third waits, its bodies in a temporary file.
    #expect(
      try program.wait {
        web.waiting > 0
          && FileManager.default.fileExists(atPath: run + "/scores/scenes/00001.parquet")
      })
    try lock("\(run)/\(part)", kind)
    web.open(to: .max)
    let end = try program.end(within: 60)
    try unlock("\(run)/\(part)", kind)
    #expect(end?.status == 1, "\(end?.error ?? "it still runs")")
    let words = kind == .mode ? "Permission denied" : "Read-only file system"
    #expect(end?.error.contains(words) == true, "\(end?.error ?? "")")
    #expect(end?.error.contains("\(run)/\(part)/") == true, "\(end?.error ?? "")")
    let fates = RunFates(run, rows: 200)
    #expect(try await fates.leased() == 0)
    #expect(try await fates.attempts()[.failed] == nil)

    let again = try Program.run(command)
    #expect(again.status == 0, "\(again.error)")
    try fates.expectBytes(of: calm, "\(kind) \(part)")
    try fates.expectOneFateEach("\(kind) \(part)")
    try fates.expectNoOrphans("\(kind) \(part)")
  }
}
