import Foundation
import IngestStage
import PipelineCore
import SeededRandom
import Testing

/// Tables that Python's csv and json modules write, the references for what users have.
@Suite struct RandomTableTests {
  private static let alphabet: [Character] = [
    "a", "b", ",", "\"", "\n", "\r", "\t", " ", ";", "'", "\\", "ü", "🎨", "\u{FEFF}", "{", "}", "[",
    ":",
  ]

  /// Rows of columns `url`, `caption` and `x`.
  private func table(_ seed: UInt64) -> [[String]] {
    var random = RandomStream(seed: seed)
    func field() -> String {
      String((0..<random.integer(below: 12)).map { _ in Self.alphabet[random.integer(below: 18)] })
    }
    return (0..<random.integer(below: 60)).map { row in
      // A CR at the end of an unquoted last field would be taken for a part of the line's end.
      ["http://a.test/\(row)" + field(), field(), field() + "."]
    }
  }

  /// Writes the table on standard input, JSON, in the way that the argument names.
  private static let script = """
    import csv, json, sys
    rows = json.load(sys.stdin)
    how = sys.argv[1]
    names = ["url", "caption", "x"]
    out = open(1, "w", encoding="utf-8", newline="")
    if how in ("csv", "tsv", "all", "lf"):
        writer = csv.writer(out, delimiter="\\t" if how == "tsv" else ",",
            quoting=csv.QUOTE_ALL if how == "all" else csv.QUOTE_MINIMAL,
            lineterminator="\\n" if how == "lf" else "\\r\\n")
        writer.writerow(names)
        writer.writerows(rows)
    else:
        ascii = how.endswith("a")
        objects = [dict(zip(names, row)) for row in rows]
        if how.startswith("lines"):
            for item in objects:
                out.write(json.dumps(item, ensure_ascii=ascii) + "\\n")
        elif how.startswith("array"):
            json.dump(objects, out, ensure_ascii=ascii, indent=2 if ascii else None)
        else:
            json.dump({n: {str(i): r[c] for i, r in enumerate(rows)} for c, n in enumerate(names)},
                out, ensure_ascii=ascii)
    """

  @Test(
    "what Python writes is read back equal",
    arguments: ["csv", "tsv", "all", "lf", "lines", "linesa", "array", "arraya", "columns"])
  func readBack(_ how: String) async throws {
    for seed in UInt64(1)...4 {
      let rows = table(seed)
      let json = JSONValue.array(rows.map { .array($0.map { .string($0) }) }).serialized
      let bytes = try piped(["python3", "-c", Self.script, how], Array(json.utf8))
      let fixture = try ListFixture()
      defer { fixture.remove() }
      let ending =
        how.hasPrefix("lines")
        ? "jsonl" : how == "tsv" ? how : ["csv", "all", "lf"].contains(how) ? "csv" : "json"
      let list = try await fixture.ingest(bytes, name: "x." + ending)
      #expect(list.rejects.isEmpty, "seed \(seed)")
      #expect(list.rows.map(\.url) == rows.map { $0[0] }, "seed \(seed)")
      #expect(list.rows.map(\.caption) == rows.map { $0[1] }, "seed \(seed)")
      #expect(list.rows.map { $0.columns.first?.value.text } == rows.map { $0[2] }, "seed \(seed)")
    }
  }
}
