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
    return found
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
