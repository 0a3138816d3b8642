import JobLedger
import PipelineCore

/// The jobs of a run and what waits for what.
///
/// ```
/// ingest ─→ download k ─→ decode k ─→ deduplicate k ─→ shard k ─→ score k ─→ filter
///              ⇡                          ⇡
///        shard k − window          deduplicate k − 1          ─→ needs   ⇢ after
/// ```
/// The dashed arrows only wait: a quarantined chunk takes its own later jobs with it and holds up
/// nothing else. The window bounds what lies downloaded on the disk.
struct PipelinePlan: Sendable {
  var window: Int
  var isScored: Bool

  static let first = NewJob(name(.ingest, 0), rank: StageName.ingest.rank)

  static func name(_ stage: StageName, _ chunk: Int) -> JobName {
    JobName(stage: stage.rawValue, chunk: chunk)
  }

  /// The jobs that become known when the list has been cut into `chunks`.
  func jobs(chunks: Int) -> [NewJob] {
    func job(_ stage: StageName, _ chunk: Int, needs: [JobName], after: [JobName] = []) -> NewJob {
      NewJob(Self.name(stage, chunk), rank: stage.rank, needs: needs, after: after)
    }
    var jobs: [NewJob] = []
    for k in 0..<chunks {
      jobs += [
        job(
          .download, k, needs: [], after: k < window ? [] : [Self.name(.shard, k - window)]),
        job(.decode, k, needs: [Self.name(.download, k)]),
        job(
          .deduplicate, k, needs: [Self.name(.decode, k)],
          after: k == 0 ? [] : [Self.name(.deduplicate, k - 1)]),
        job(.shard, k, needs: [Self.name(.deduplicate, k)]),
      ]
      if isScored { jobs.append(job(.score, k, needs: [Self.name(.shard, k)])) }
    }
    let last: StageName = isScored ? .score : .shard
    jobs.append(job(.filter, 0, needs: [], after: (0..<chunks).map { Self.name(last, $0) }))
    return jobs
  }
}
