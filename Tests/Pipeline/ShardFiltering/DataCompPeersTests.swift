import DurableFiles
import FilterPlans
import Foundation
import ShardFiltering
import TestTools
import Testing

/// DataComp's own formulas in pandas and NumPy, over metadata that they have made, against our plans: the subset
/// files must be the same bytes.
@Suite(.peers("pandas", "pyarrow")) struct DataCompPeersTests {
  /// As baselines/apply_filter.py and baselines/utils.py have it, the languages aside.
  static let script = """
    import sys, numpy as np, pandas as pd
    folder = sys.argv[1]
    r = np.random.default_rng(int(sys.argv[2]))
    n = 20000
    words = ["a", "cat", "Straße", "犬", "caf\\u00e9", "e\\u0301", "\\u200b", "🐕‍🦺", "x" * 9, "..."]
    gaps = [" ", "  ", "\\u00a0", "\\u3000", "\\t", "\\n", "\\x1c", "\\u2028", "\\u200b", "\\x85", "\\ufeff"]
    texts = ["".join(r.choice(words) + r.choice(gaps) for _ in range(r.integers(0, 6))) for _ in range(n)]
    df = pd.DataFrame({
        "uid": ["%032x" % (int(a) << 64 | int(b)) for a, b in
                r.integers(0, 2**64, (n, 2), dtype=np.uint64)],
        "text": texts,
        "original_width": r.integers(1, 900, n), "original_height": r.integers(1, 900, n),
        "clip_b32_similarity_score": np.round(r.normal(0.25, 0.05, n), 3),
        "clip_l14_similarity_score": np.round(r.normal(0.22, 0.05, n), 3)})
    half = n // 2
    df[:half].to_parquet(folder + "/a.parquet")
    df[half:].to_parquet(folder + "/b.parquet", row_group_size=777)
    def save(name, part):
        uids = np.array([(int(u[:16], 16), int(u[16:32], 16)) for u in part.uid], np.dtype("u8,u8"))
        uids.sort()
        np.save(f"{folder}/{name}.npy", uids)
    low = df[["original_width", "original_height"]].min(axis=1)
    high = df[["original_width", "original_height"]].max(axis=1)
    save("basic", df[(df.text.apply(lambda t: len(t.split())) > 2) & (df.text.apply(len) > 5)
                     & (low >= 200) & (high / low <= 3.0)])
    save("threshold", df[df.clip_b32_similarity_score >= 0.25])
    for f in [0.3, 0.01, 0.5]:
        scores = df.clip_l14_similarity_score.to_numpy()
        save(f"top{f}", df[scores >= np.sort(scores)[::-1][int(n * f)]])
    """

  @Test(
    "basic filter, threshold and share by DataComp's own formulas name the same uids",
    arguments: [1, 2])
  func formulas(_ seed: Int) async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/datacomp-" + UUID().uuidString
    try DurableFile.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try await PeerPython.run(["-c", Self.script, folder, "\(seed)"])
    let top = "top_fraction: {column: clip_l14_similarity_score, ties: datacomp, fraction:"
    for (name, rules) in [
      (
        "basic",
        "[{caption: {min_words: 3, min_characters: 6}}, {picture: {min_side: 200, max_aspect: 3}}]"
      ), ("threshold", "[{min: {column: clip_b32_similarity_score, value: 0.25}}]"),
      ("top0.3", "[{\(top) 0.3}}]"), ("top0.01", "[{\(top) 0.01}}]"), ("top0.5", "[{\(top) 0.5}}]"),
    ] {
      let ours = folder + "/ours.npy"
      let outcome = try ShardFilter.judge(
        [folder + "/b.parquet", folder + "/a.parquet"],
        options: ShardFilterOptions(
          plan: try FilterPlan(yaml: "rules: \(rules)", path: name), threads: 2),
        subset: ours)
      #expect(outcome.read == 20_000 && outcome.kept > 100)
      #expect(
        try DurableFile.read(ours) == DurableFile.read("\(folder)/\(name).npy"), "\(name)")
    }
  }

  @Test("the bundled plan of a share is DataComp's")
  func preset() async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/datacomp-" + UUID().uuidString
    try DurableFile.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try await PeerPython.run(["-c", Self.script, folder, "3"])
    let ours = folder + "/ours.npy"
    _ = try ShardFilter.judge(
      [folder + "/a.parquet", folder + "/b.parquet"],
      options: ShardFilterOptions(plan: try FilterPresets.plan("datacomp-clip-l14-30")),
      subset: ours)
    #expect(try DurableFile.read(ours) == DurableFile.read(folder + "/top0.3.npy"))
  }
}
