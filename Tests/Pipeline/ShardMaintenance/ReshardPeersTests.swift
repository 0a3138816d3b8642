import DurableFiles
import Foundation
import PipelineCore
import ShardMaintenance
import Testing

/// What `reshard` writes, read by Python's tarfile and by webdataset; NumPy's own subset files.
@Suite struct ReshardPeersTests {
  static let python: String? = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let named = ProcessInfo.processInfo.environment["PAIRLOOM_PEERS_PYTHON"]
    let path = named ?? root.appendingPathComponent(".build/peers/bin/python").path
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }()

  static func run(_ script: String, _ arguments: [String]) throws -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python ?? "/bin/false")
    process.arguments = ["-c", script] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test(
    "a subset by NumPy's own .npy reads in tarfile and webdataset as the samples that it names",
    .enabled(if: python != nil))
  func subset() throws {
    let reshard = try ReshardTests()
    let folder = reshard.folder
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let shards = try reshard.source()
    let wanted = [2, 11, 12, 38]
    // As DataComp's baselines write it.
    _ = try Self.run(
      """
      import sys, numpy as np
      uids = sys.argv[2:]
      np.save(sys.argv[1], np.array(sorted((int(u[:16], 16), int(u[16:32], 16)) for u in uids),
                                    np.dtype("u8,u8")))
      """, [folder + "/subset.npy"] + wanted.map { ReshardTests.uid($0) })
    let out = folder + "/out"
    let outcome = try Resharder.reshard(
      shards, to: out, options: ReshardOptions(maxPairs: 3, compression: .none),
      ids: try UIDList(path: folder + "/subset.npy"))
    #expect(outcome.missing == 0)
    let tars = outcome.shards.map { "\(out)/\($0.file)" }
    let expected = wanted.flatMap { number in
      ReshardTests.sample(number).members.map { "k\(number).\($0.suffix) \($0.data.count)" }
    }
    #expect(
      try Self.run(
        """
        import sys, tarfile
        for path in sys.argv[1:]:
            for m in tarfile.open(path): print(m.name, m.size)
        """, tars) == expected)
    guard
      try Self.run("import importlib.util as u; print(u.find_spec('webdataset'))", []) != ["None"]
    else { return }
    #expect(
      try Self.run(
        """
        import sys, warnings, webdataset as wds
        warnings.simplefilter("ignore")
        for s in wds.WebDataset(sys.argv[1:], shardshuffle=False):
            print(s["__key__"], s["txt"].decode(), s["cls"].decode())
        """, tars) == wanted.map { "k\($0) caption \($0) \($0 % 7)" })
  }
}
