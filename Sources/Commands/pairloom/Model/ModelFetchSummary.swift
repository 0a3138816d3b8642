import HTTPFetch
import PipelineCore

/// A file that was asked for, and what came of it.
struct FetchedModelFile {
  var name: String
  var url: String
  var outcome: FileDownload.Outcome
}

/// What `pairloom model fetch` says at its end, and keeps in `fetched.json`.
struct ModelFetchSummary {
  let source: ModelFetchSource
  let folder: String
  let files: [FetchedModelFile]

  /// The same for the same files, however they came.
  var record: JSONValue {
    .object(
      [.init("source", .string(source.text))]
        + (source.commit.map { [.init("commit", .string($0))] } ?? [])
        + [
          .init(
            "files",
            .array(
              files.map { file in
                .object([
                  .init("file", .string(file.name)), .init("url", .string(file.url)),
                  .init("bytes", .int(file.outcome.bytes)),
                  .init("sha256", .string(file.outcome.sha256)),
                ])
              }))
        ])
  }

  var lines: [String] {
    var lines = files.map { file in
      let outcome = file.outcome
      let past =
        outcome.wasThere
        ? ", was there already"
        : outcome.resumedFrom > 0 ? ", went on from \(ByteCount.words(outcome.resumedFrom))" : ""
      return "\(file.name): \(ByteCount.words(outcome.bytes)), SHA-256 \(outcome.sha256)\(past)"
    }
    for (number, file) in source.files.enumerated() where number == 0 && file.sha256 == nil {
      lines.append(
        "nobody has said what \(file.name) must hash to: note the SHA-256, or give it with --sha256"
      )
    }
    lines.append("look at it: pairloom model info \(folder)")
    lines.append("score with it: pairloom score SHARDS --model \(folder) --out scores.parquet")
    return lines
  }
}
