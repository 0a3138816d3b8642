import Foundation
import JobLedger
import SeededRandom
import Testing

/// The whole pipeline under kill -9: nothing lost, nothing done twice.
@Suite(.serialized) struct KillMatrixTests {
  static let isLong = ProcessInfo.processInfo.environment["PAIRLOOM_LONG"] != nil
  static let kills = isLong ? 1_000 : 40
  static let runs = 3
  /// Each kill lets some chunks more pass the gate.
  static let (chunkRows, rowsPerKill) = (12, 48)

  @Test("processes killed at random moments leave every row one fate, and the bytes of a calm run")
  func killed() async throws {
    let folder = try TemporaryFolder()
    let rows = Self.kills * Self.rowsPerKill
    let web = try GatedWeb(rows: rows)
    let list = try web.list(in: folder.path)
    let (calm, killed) = (folder.path + "/calm", folder.path + "/killed")
    let whole = try Program.run(GatedWeb.command(list, calm, chunkRows: Self.chunkRows))
    #expect(whole.status == 0, "\(whole.error)")

    let seed = UInt64(Date.now.timeIntervalSince1970 * 1_000)
    var random = RandomStream(seed: seed)
    web.open(to: 2 * Self.rowsPerKill)
    let matrix = KillMatrix(
      command: GatedWeb.command(list, killed, chunkRows: Self.chunkRows), logs: folder.path,
      runs: Self.runs)
    // Those beyond the number hit the end of the run: its last chunks, its filter.
    let start = Date.now
    let tally = try matrix.work(most: Self.kills * 5 / 4, &random) { kills in
      web.open(to: kills >= Self.kills ? .max : (kills + 2) * Self.rowsPerKill * 4 / 5)
    }
    let note = "seed \(seed), \(tally)"
    #expect(tally.all >= Self.kills, "\(note)")
    #expect(tally.runs > Self.kills / 4 && tally.decoders > Self.kills / 8, "\(note)")
    for end in tally.ends { #expect(end.status == 0, "\(end.error), \(note)") }

    let fates = RunFates(killed, rows: rows)
    let dropped = try fates.expectOneFateEach(note)
    // Every stage had something to say.
    #expect(
      Set(dropped.keys).isSuperset(of: [
        "bad_url", "duplicate_url", "http_status", "not_an_image", "decoder_crashed",
        "duplicate_bytes",
      ]), "\(dropped)")
    try fates.expectBytes(of: calm, note)
    try fates.expectNoOrphans(note)
    try await expectLittleRepeated(fates, tally, note)
    let seconds = Int(Date.now.timeIntervalSince(start))
    print("kill matrix: \(note), \(rows) rows, \(seconds) s")
  }

  /// Processes, and how the shards are named, cut and stored, and what is left out of them.
  static let cases: [(workers: Int, options: [String])] = [
    (1, ["key_scheme=img2dataset", "shard_pairs=33"]),
    (
      4,
      [
        "key_scheme=img2dataset", "shard_bytes=200000", "shard_pairs=41", "encode_format=png",
        "encode_quality=6",
      ]
    ),
    (2, ["dedup=near"]),
    (2, ["dedup=near", "duplicates.keep=best", "duplicates.placeholders=30"]),
  ]

  @Test(
    "numbered keys, dense packing, other formats and near duplicates hold under kills, too",
    arguments: cases)
  func otherShards(workers: Int, options: [String]) throws {
    let folder = try TemporaryFolder()
    let kills = 8
    let rows = kills * Self.rowsPerKill
    let web = try GatedWeb(rows: rows)
    let list = try web.list(in: folder.path)
    let (calm, killed) = (folder.path + "/calm", folder.path + "/killed")
    func command(_ run: String, workers: Int) -> [String] {
      GatedWeb.command(list, run, chunkRows: Self.chunkRows, workers: workers, options)
    }
    let whole = try Program.run(command(calm, workers: 1))
    #expect(whole.status == 0, "\(whole.error)")
    let seed = UInt64(Date.now.timeIntervalSince1970 * 1_000)
    var random = RandomStream(seed: seed)
    web.open(to: Self.rowsPerKill)
    let matrix = KillMatrix(
      command: command(killed, workers: workers), logs: folder.path, runs: 1)
    let tally = try matrix.work(most: kills * 3 / 2, &random) { count in
      web.open(to: count >= kills ? .max : (count + 1) * Self.rowsPerKill)
    }
    let note = "seed \(seed), \(tally)"
    for end in tally.ends { #expect(end.status == 0, "\(end.error), \(note)") }
    let fates = RunFates(killed, rows: rows)
    try fates.expectOneFateEach(note)
    try fates.expectBytes(of: calm, note)
    try fates.expectNoOrphans(note)
  }

  /// Work repeated per kill: at most one chunk per worker.
  ///
  /// A worker is what holds one lease at a time: here two that compute, and four that download, of
  /// each process. Nothing but a process's death costs an attempt; a decoder's costs none.
  private func expectLittleRepeated(
    _ fates: RunFates, _ tally: KillMatrix.Tally, _ note: String
  ) async throws {
    let attempts = try await fates.attempts()
    let died = attempts[.ownerDied] ?? []
    #expect(Set(attempts.keys).isSubset(of: [.completed, .ownerDied]), "\(attempts.keys), \(note)")
    let completed = attempts[.completed] ?? []
    #expect(Set(completed.map(\.name)).count == completed.count, "\(note)")
    let workers = 2 + GatedWeb.chunksInFlight
    #expect(died.count <= tally.runs * workers, "\(died.count) repeated, \(note)")
    // Each worker of a process holds one lease: what died at one moment under one worker's name is
    // of as many processes.
    for (_, group) in Dictionary(grouping: died, by: { "\($0.endedAt ?? 0) \($0.worker)" }) {
      #expect(group.count <= Self.runs, "\(group), \(note)")
    }
    let stages = Dictionary(grouping: died, by: \.name.stage).mapValues(\.count)
    print("kill matrix: \(died.count) chunks done again: \(stages.sorted { $0.key < $1.key })")
  }
}
