import DurableFiles
import Foundation
import PairDataset
import PipelineCore
import TestTools
import Testing
import URLPipeline

/// What the programs that our users have make of a run's files.
@Suite struct ForeignReaderTests {
  private static let formats = [
    [], ["compression=none"], ["layout=img2dataset"], ["key_scheme=img2dataset", "shard_pairs=7"],
    ["compression=none", "shard_bytes=20000", "encode_format=webp"], ["encode_format=png"],
  ]

  @Test(
    "Python's webdataset iterates every pair with its caption and size",
    .peers("webdataset", "PIL"), arguments: formats)
  func webdataset(options: [String]) async throws {
    let web = try HealingWeb()
    let list = try web.list((0..<25).map { $0 % 5 == 3 ? "/never/\($0)" : "/ok/\($0)" })
    _ = try await web.run(list, into: "run", options).run()
    let pairs = try await ForeignPrograms.findings(["webdataset", web.folder + "/run"])
    #expect(
      pairs.map { $0["caption"]?.text } == (0..<25).filter { $0 % 5 != 3 }.map { "caption \($0)" })
    #expect(pairs.allSatisfy { $0["width"]?.integer == 16 && $0["height"]?.integer == 16 })
    if options.contains(where: { $0.hasSuffix("=img2dataset") }) {
      // Ten rows a chunk: one digit behind the chunk's five.
      #expect(
        pairs.map { $0["key"]?.text }
          == (0..<25).filter { $0 % 5 != 3 }.map { String("00000\($0)".suffix(2)) }.map {
            "0000" + $0
          })
    }
  }
}

/// The same on real pictures and with the bigger programs.
@Suite(
  .serialized,
  .enabled(if: SharedData.isPresent),
  .peers("open_clip_train.data", "img2dataset", "pandas", "pyarrow"))
struct ForeignProgramTests {
  /// Caption and size, for each pair.
  private static func summary(_ pairs: [JSONValue]) -> [String] {
    pairs.map { pair in
      "\(pair["width"]?.integer ?? 0) \(pair["height"]?.integer ?? 0) \(pair["caption"]?.text ?? "")"
    }.sorted()
  }

  @Test(
    "open_clip's own pipeline gives every pair once, and finds their number beside plain shards",
    arguments: [
      ["compression=none"], ["layout=img2dataset"], ["compression=none", "shard_pairs=50"],
      ["compression=lz4", "shard_bytes=200000"],
    ])
  func openCLIP(storage: [String]) async throws {
    let web = try SharedWeb()
    let (list, _) = try web.makeList(rows: 130, preset: "realistic")
    let outcome = try await web.run(
      list, into: "run", workers: 2,
      ["resize_mode=keep_ratio", "download.attempts=3"] + storage
    ).run()
    let run = web.folder + "/run"
    let manifest = try DatasetManifest.read(outcome.dataset)
    #expect(manifest.pairs > 60)
    let isPacked = storage.contains { $0.hasPrefix("shard_") }
    #expect(manifest.shards[0].file.hasPrefix(isPacked ? "filtered/" : "shards/"))
    let known = try await ForeignPrograms.findings(
      ["tables"] + manifest.shards.map { run + "/" + (try #require($0.table)) })
    let expected = known.flatMap { $0["rows"]?.items ?? [] }.filter {
      $0["status"]?.text == "success"
    }
    #expect(expected.count == manifest.pairs)
    // Its reader looks for sizes beside a path, and a pipe is none.
    let told =
      storage.contains("compression=lz4") ? ["\(manifest.pairs)"] : ["sizes", "\(manifest.pairs)"]
    for told in told {
      let found = try await ForeignPrograms.findings(["open_clip", run, told])
      #expect(found.last?["num_samples"]?.integer == manifest.pairs)
      #expect(Self.summary(found.dropLast()) == Self.summary(expected))
    }
  }

  @Test("img2dataset's own run has the same columns, keys and words, and takes our folder for done")
  func img2dataset() async throws {
    let web = try SharedWeb()
    let (whole, _) = try web.makeList(
      rows: 90, preset: "clean", ["--fault", "404:0.1", "--fault", "noai:0.05"])
    let list = web.folder + "/small.parquet"
    _ = try await ForeignPrograms.findings(
      ["columns", whole, list, "url", "caption", "id", "license", "lang", "score"])
    let theirs = web.folder + "/theirs"
    _ = try await ForeignPrograms.findings(["img2dataset", list, theirs, "60"])
    _ = try await web.run(
      list, into: "run", workers: 2,
      [
        "layout=img2dataset", "policy=img2dataset", "dedup=off", "download.attempts=1",
        "compatibility=img2dataset", "extract_exif=true",
      ]
    ).run()
    let ours = web.folder + "/run/shards"

    for name in ["00000", "00001"] {
      let both = try await ForeignPrograms.findings(
        ["tables", "\(theirs)/\(name).parquet", "\(ours)/\(name).parquet"])
      #expect(both[0]["columns"] == both[1]["columns"])
      // Their rows stand in the order of arrival.
      let tables = try both.map { table in
        let rows = try #require(table["rows"]?.items)
        return Dictionary(uniqueKeysWithValues: rows.map { ($0["key"]?.text ?? "", $0) })
      }
      #expect(tables[0].keys.sorted() == tables[1].keys.sorted())
      for (key, their) in tables[0] {
        #expect(tables[1][key] == their, "\(their.serialized)")
      }
      let stats = try [theirs, ours].map {
        try JSONValue.parse(try DurableFile.read("\($0)/\(name)_stats.json"))
      }
      #expect(stats[0].members.map(\.key) == stats[1].members.map(\.key))
      for field in ["count", "successes", "failed_to_download", "failed_to_resize"] {
        #expect(stats[0][field] == stats[1][field], "\(field)")
      }
      func counts(_ stats: JSONValue) -> [String: Int?] {
        Dictionary(
          uniqueKeysWithValues: (stats["status_dict"]?.members ?? []).map {
            ($0.key, $0.value.integer)
          })
      }
      #expect(counts(stats[0]) == counts(stats[1]))
    }

    // Run again it finds every shard done; without one of the markers it makes that shard alone.
    let before = try web.outputs("run")
    _ = try await ForeignPrograms.findings(["img2dataset", list, ours, "60"])
    #expect(try web.outputs("run") == before)
    try DurableFile.remove(ours + "/00001_stats.json")
    _ = try await ForeignPrograms.findings(["img2dataset", list, ours, "60"])
    let after = try web.outputs("run")
    #expect(after.keys.sorted() == before.keys.sorted())
    for (name, bytes) in before where !name.hasPrefix("shards/00001") {
      #expect(after[name] == bytes, "\(name)")
    }
    #expect(after["shards/00001_stats.json"] != before["shards/00001_stats.json"])
  }
}
