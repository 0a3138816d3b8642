import DurableFiles
import Foundation
import PipelineCore
import ShardMaintenance
import TestTools
import Testing

/// What `reshard` writes, read by Python's tarfile and by webdataset; NumPy's own subset files.
@Suite struct ReshardPeersTests {
  /// The lines that the code prints.
  static func lines(_ code: String, _ arguments: [String]) async throws -> [String] {
    try await PeerPython.run(["-c", code] + arguments).text.split(separator: "\n").map(String.init)
  }

  @Test(
    "a subset by NumPy's own .npy reads in tarfile and webdataset as the samples that it names",
    .peers("numpy"))
  func subset() async throws {
    let reshard = try ReshardTests()
    let folder = reshard.folder
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let shards = try reshard.source()
    let wanted = [2, 11, 12, 38]
    // As DataComp's baselines write it.
    _ = try await Self.lines(
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
      try await Self.lines(
        """
        import sys, tarfile
        for path in sys.argv[1:]:
            for m in tarfile.open(path): print(m.name, m.size)
        """, tars) == expected)
    guard
      try await Self.lines("import importlib.util as u; print(u.find_spec('webdataset'))", []) != [
        "None"
      ]
    else { return }
    #expect(
      try await Self.lines(
        """
        import sys, warnings, webdataset as wds
        warnings.simplefilter("ignore")
        for s in wds.WebDataset(sys.argv[1:], shardshuffle=False):
            print(s["__key__"], s["txt"].decode(), s["cls"].decode())
        """, tars) == wanted.map { "k\($0) caption \($0) \($0 % 7)" })
  }
}
