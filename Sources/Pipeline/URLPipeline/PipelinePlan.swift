package import JobLedger
package import PipelineCore

/// The jobs of a run and what waits for what.
///
/// ```
/// ingest ─→ download k ─→ decode k ─→ deduplicate k ─→ shard k ─→ score k ─→ filter
///              ⇡                          ⇡
///        shard k − window          deduplicate k − 1          ─→ needs   ⇢ after
/// ```
/// Where deduplication goes by all pictures, its first job waits for every decode, and downloads for
/// decodes instead of shards: all that is decoded then lies on the disk. Where that job is given up for want
/// of its pictures, the ledger lets the next one wait likewise.
///
/// The dashed arrows only wait: a quarantined chunk takes its own later jobs with it and holds up
/// nothing else. The window bounds what lies downloaded on the disk. A retry is the same once more: an
/// ingest job of its own, chunks after all that there were, and a filter job after the one before it.
package struct PipelinePlan: Sendable {
  var window: Int
  var isScored: Bool
  /// Whether deduplication goes by all pictures of a generation.
  var needsAll: Bool

  package init(window: Int, isScored: Bool, needsAll: Bool) {
    self.window = window
    self.isScored = isScored
    self.needsAll = needsAll
  }

  package static let first = NewJob(name(.ingest, 0), rank: StageName.ingest.rank)

  package static func name(_ stage: StageName, _ chunk: Int) -> JobName {
    JobName(stage: stage.rawValue, chunk: chunk)
  }

  /// The job that chooses the rows of a retry.
  package static func retry(_ generation: Int) -> NewJob {
    NewJob(name(.ingest, generation), rank: StageName.ingest.rank)
  }

  /// The jobs that become known when a generation's rows have been cut into chunks.
  ///
  /// - Parameters:
  ///   - chunks: Their numbers.
  ///   - generation: 0 for the list, else the retry's.
  ///   - previous: The generation whose filter job comes before; nil for the list.
  /// - Returns: In an order in which each comes after what it waits for.
  package func jobs(chunks: Range<Int>, generation: Int = 0, after previous: Int? = nil) -> [NewJob]
  {
    func job(_ stage: StageName, _ chunk: Int, needs: [JobName], after: [JobName] = []) -> NewJob {
      NewJob(Self.name(stage, chunk), rank: stage.rank, needs: needs, after: after)
    }
    var jobs: [NewJob] = []
    if needsAll {
      for k in chunks {
        jobs += [
          // Bodies go when they are decoded.
          job(
            .download, k, needs: [],
            after: k - window < chunks.lowerBound ? [] : [Self.name(.decode, k - window)]),
          job(.decode, k, needs: [Self.name(.download, k)]),
        ]
      }
    }
    for k in chunks {
      if !needsAll {
        jobs += [
          job(
            .download, k, needs: [], after: k < window ? [] : [Self.name(.shard, k - window)]),
          job(.decode, k, needs: [Self.name(.download, k)]),
        ]
      }
      let decodes =
        needsAll && k == chunks.lowerBound ? chunks.dropFirst().map { Self.name(.decode, $0) } : []
      jobs += [
        job(
          .deduplicate, k, needs: [Self.name(.decode, k)],
          after: (k == 0 ? [] : [Self.name(.deduplicate, k - 1)]) + decodes),
        job(.shard, k, needs: [Self.name(.deduplicate, k)]),
      ]
      if isScored { jobs.append(job(.score, k, needs: [Self.name(.shard, k)])) }
    }
    let last: StageName = isScored ? .score : .shard
    let before = previous.map { [Self.name(.filter, $0)] } ?? []
    jobs.append(
      job(.filter, generation, needs: [], after: before + chunks.map { Self.name(last, $0) }))
    return jobs
  }
}
