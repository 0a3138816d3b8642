import JobLedger
import PipelineCore

/// What a person may do about a job that was given up, by the kind of its last error.
struct QuarantineAdvice {
  var job: QuarantinedJob
  var folder: String

  /// The kind of an error, told by the words that its types put into it.
  enum Kind: CaseIterable {
    case needs, decoder, list, chunkTable, intermediate, system, other
  }

  var kind: Kind {
    guard job.wants.isEmpty, let error = job.error else { return .needs }
    func has(_ words: String...) -> Bool { words.contains { error.contains($0) } }
    if has("decode_memory", "decode_wall_seconds", "crash") { return .decoder }
    if has("cannot open", "cannot write", "cannot rename", "cannot make folder", "cannot list") {
      return has("No such file") ? .intermediate : .system
    }
    if has("/chunks/") { return .chunkTable }
    if has("is cut", "damaged", "disagree", "/fetched/", "/decoded/", "/deduplicated/", "/shards/")
    {
      return .intermediate
    }
    return job.name.stage == StageName.ingest.rawValue ? .list : .other
  }

  /// Ends with how to go on.
  var lines: [String] {
    let release = "`pairloom quarantine \(folder) release \(job.name) --run`"
    let chunk = RunFolder.digits(job.name.chunk)
    switch kind {
    case .needs:
      let cause = job.wants.first.map(\.description) ?? "the job it needs"
      return [
        "it waits for \(cause): `pairloom quarantine \(folder) show \(cause)` says why that failed;",
        "to release one releases the other.",
      ]
    case .decoder:
      return [
        "the decoder goes down with pictures of this chunk. Its limits are the recipe's decode_memory,",
        "decode_cpu_seconds and decode_wall_seconds; `pairloom doctor` tests the decoder. Then:",
        release,
      ]
    case .list:
      return ["mend the list so that it can be read as the error says, then:", release]
    case .chunkTable:
      return [
        "chunks/\(chunk).jsonl holds the chunk's rows as ingest wrote them, and nothing else does: put",
        "it back from a copy, else run the list again in a new folder. Then:", release,
      ]
    case .intermediate:
      return [
        "a file that an earlier stage wrote is missing or damaged. Put it back, or remove it: a release",
        "does the stage that writes it again (where bodies are gone, the download). Then:", release,
      ]
    case .system:
      return ["the system refuses the file that the error names: mend that, then:", release]
    case .other:
      return ["mend what the error names, then:", release]
    }
  }
}
