import DurableFiles
import PipelineCore

/// Finds the rows of a run that requests bear on.
struct ForgetSearch {
  let facts: RunFacts
  /// The requests that are looked for.
  let wanted: ForgottenPairs

  /// The requests by the uid of the pairs that they bear on, and how many rows each has found.
  struct Found {
    var requests: [String: Set<ForgetRequest>] = [:]
    var rows: [ForgetRequest: Int] = [:]
    /// What deduplication kept of the pairs.
    var pictures: [ForgetRequest: [ForgottenPairs.Picture]] = [:]
  }

  /// Reads the tables of all chunks, one chunk at a time.
  ///
  /// A URL counts where the list has it, and where a redirect led to it.
  func run() throws -> Found {
    var found = Found()
    let kinds = Set(wanted.entries.map(\.request.kind))
    for chunk in facts.chunks {
      let answers = kinds == [.uid] ? [:] : try answers(of: chunk)
      for candidate in try JSONLines.read(facts.folder.chunkTable(chunk), as: PairCandidate.init) {
        let answer = answers[candidate.row]
        var requests = wanted.requests(
          uid: candidate.uid, urls: [candidate.url] + (answer?.urls ?? []))
        if let hash = answer?.sha256, let request = wanted.request(sha256: hash) {
          requests.insert(request)
        }
        guard !requests.isEmpty else { continue }
        found.requests[candidate.uid, default: []].formUnion(requests)
        for request in requests { found.rows[request, default: 0] += 1 }
      }
    }
    if !found.requests.isEmpty { try findPictures(&found) }
    return found
  }

  /// Looks up which pictures of the pairs are the first of their kind.
  private func findPictures(_ found: inout Found) throws {
    for chunk in facts.chunks where DurableFile.exists(facts.folder.verdictTable(chunk)) {
      let candidates = try JSONLines.read(facts.folder.chunkTable(chunk), as: PairCandidate.init)
        .filter { found.requests[$0.uid] != nil }
      if candidates.isEmpty { continue }
      let kept = Dictionary(
        try PairTable.read(facts.folder.verdictTable(chunk), as: Verdict.init)
          .filter { $0.drop == nil }.map { ($0.row, $0.sha256) }, uniquingKeysWith: { a, _ in a })
      for candidate in candidates {
        guard let hash = kept[candidate.row] else { continue }
        for request in found.requests[candidate.uid] ?? [] {
          found.pictures[request, default: []].append(.init(row: candidate.row, sha256: hash))
        }
      }
    }
  }

  private func answers(of chunk: Int) throws -> [Int: (urls: [String], sha256: String?)] {
    guard let attempt = facts.attempt(chunk) else { return [:] }
    let path = facts.folder.fetchedTable(chunk, attempt: attempt)
    guard DurableFile.exists(path) else { return [:] }
    let rows = try PairTable.read(path, as: FetchedRow.init)
    return Dictionary(
      rows.map { row in
        var urls = [row.recorded("final_url")?.text].compactMap { $0 }
        if case .array(let hops) = row.recorded("hops") {
          urls += hops.compactMap { $0["url"]?.text }
        }
        return (row.row, (urls, row.sha256))
      }, uniquingKeysWith: { first, _ in first })
  }
}
