import JobLedger
import Testing

@Suite struct JobStateTests {
  @Test(
    "a settled job never moves again, unless it is reopened or handed back",
    arguments: JobEvent.allCases)
  func settled(_ event: JobEvent) {
    let reopened: [JobEvent: JobState] = [.reopened: .available, .reopenedWithNeed: .waiting]
    #expect(JobState.completed.after(event) == reopened[event])
    let handedBack: [JobEvent: JobState] = [.handedBack: .available, .handedBackWithNeed: .waiting]
    #expect(JobState.quarantined.after(event) == handedBack[event])
  }

  @Test("only an available or a retryable job can be claimed", arguments: JobState.allCases)
  func claims(_ state: JobState) {
    let claimable = state == .available || state == .retryable
    #expect(state.after(.claimed) == (claimable ? .leased : nil))
  }

  @Test(
    "only a leased job can be completed, failed, released or rescued", arguments: JobState.allCases)
  func leases(_ state: JobState) {
    for (event, next) in [
      (JobEvent.completed, JobState.completed), (.failed, .retryable),
      (.failedForGood, .quarantined), (.released, .available), (.rescued, .available),
    ] {
      #expect(state.after(event) == (state == .leased ? next : nil))
    }
  }

  @Test("every state is reached from waiting")
  func reachable() {
    var seen: Set<JobState> = [.waiting]
    var open: [JobState] = [.waiting]
    while let state = open.popLast() {
      for next in JobEvent.allCases.compactMap({ state.after($0) }) where seen.insert(next).inserted
      {
        open.append(next)
      }
    }
    #expect(seen == Set(JobState.allCases))
  }

  @Test("the pause doubles up to its cap")
  func pauses() {
    let policy = RetryPolicy(maxFailures: 9, basePause: 1_000, longestPause: 5_000)
    #expect((1...5).map(policy.pause) == [1_000, 2_000, 4_000, 5_000, 5_000])
  }
}
