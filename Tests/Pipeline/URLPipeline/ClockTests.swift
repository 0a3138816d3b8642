import Foundation
import JobLedger
import PairDataset
import PipelineCore
import Synchronization
import Testing
import URLPipeline

/// A run whose clock is set while it works, or between two runs.
@Suite struct ClockTests {
  /// A wall clock that can be set.
  final class SettableClock: Sendable {
    private let offset = Mutex(0)

    var now: Int { WorkerGroup.wallClock() + offset.withLock { $0 } }
    func set(by milliseconds: Int) { offset.withLock { $0 += milliseconds } }
  }

  /// Scores as ``ToyScorer`` does; its first call does something and fails.
  final class FailingOnce: PairScorer {
    let name = ToyScorer().name
    let provenance = ToyScorer().provenance
    private let isFirst = Flag()
    private let atFailure: @Sendable () -> Void

    struct Failure: Error {}

    init(_ atFailure: @escaping @Sendable () -> Void) { self.atFailure = atFailure }

    func scores(of pairs: [Pair]) async throws -> [Float] {
      if isFirst.value { return try await ToyScorer().scores(of: pairs) }
      isFirst.value = true
      atFailure()
      throw Failure()
    }
  }

  /// When the clock is set.
  enum Moment: CaseIterable {
    /// While a worker holds a lease.
    case leased
    /// While a job that has failed has its pause.
    case paused
  }

  static let day = 86_400_000
  static let paths = (0..<60).map { "/ok/\($0 % 50)" }

  private func run(
    _ web: HealingWeb, _ list: String, _ name: String, scorer: any PairScorer,
    clock: @escaping @Sendable () -> Int
  ) throws -> PipelineRun {
    let recipe = try PipelineRecipe(
      yaml: "", path: "test",
      overrides: HealingWeb.options(list) + ["filter.min_score=0.1"])
    return try PipelineRun(
      recipe: recipe, folder: web.folder + "/" + name, workers: 2, scorer: scorer, clock: clock)
  }

  @Test(
    "a clock that is set in the midst of a run holds nothing up, and changes no byte",
    .timeLimit(.minutes(2)), arguments: [-day, day], Moment.allCases)
  func midway(by step: Int, at moment: Moment) async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    let calm = try run(
      web, list, "calm", scorer: ToyScorer(), clock: WorkerGroup.wallClock)
    #expect(try await calm.run().isComplete)
    let clock = SettableClock()
    let failed = Flag()
    let scorer = FailingOnce {
      if moment == .leased { clock.set(by: step) }
      failed.value = true
    }
    let started = ContinuousClock.now
    async let work = run(web, list, "set", scorer: scorer) { clock.now }.run()
    if moment == .paused {
      while !failed.value { try await Task.sleep(for: .milliseconds(2)) }
      let ledger = try SQLiteLedger(path: web.folder + "/set/ledger.sqlite")
      // The pause is a second.
      while try await ledger.tally()["score"]?[.retryable] == nil {
        try await Task.sleep(for: .milliseconds(2))
      }
      clock.set(by: step)
    }
    #expect(try await work.isComplete)
    #expect(ContinuousClock.now - started < .seconds(60))
    #expect(try web.published("set") == web.published("calm"))
  }

  @Test("a day back between two runs, nothing waits for the day to pass", .timeLimit(.minutes(2)))
  func between() async throws {
    let web = try HealingWeb()
    let list = try web.list(Self.paths)
    let calm = try run(
      web, list, "calm", scorer: ToyScorer(), clock: WorkerGroup.wallClock)
    #expect(try await calm.run().isComplete)
    // The first run ends while a failed job has its pause, as its clock does not go on.
    let frozen = WorkerGroup.wallClock()
    let failed = Flag()
    let work = Task {
      try await run(web, list, "set", scorer: FailingOnce { failed.value = true }) { frozen }.run()
    }
    let ledger = web.folder + "/set/ledger.sqlite"
    while !failed.value { try await Task.sleep(for: .milliseconds(2)) }
    while try await SQLiteLedger(path: ledger).tally()["score"]?[.retryable] == nil {
      try await Task.sleep(for: .milliseconds(2))
    }
    work.cancel()
    await #expect(throws: CancellationError.self) { try await work.value }
    #expect(try await SQLiteLedger(path: ledger).tally()["score"]?[.retryable] == 1)

    let started = ContinuousClock.now
    let outcome = try await run(web, list, "set", scorer: ToyScorer()) {
      WorkerGroup.wallClock() - Self.day
    }.run()
    #expect(outcome.isComplete)
    #expect(ContinuousClock.now - started < .seconds(60))
    #expect(try web.published("set") == web.published("calm"))
  }
}
