import JobLedger
import Testing

@Suite struct JobStoryTests {
  @Test("a job's story has every attempt with its process, and jobs never entered have none")
  func stories() async throws {
    let fixture = try LedgerFixture(retry: RetryPolicy(maxFailures: 2, basePause: 50))
    defer { fixture.remove() }
    try await fixture.ledger.add([job("a", 0), job("b", 0, needs: [job("a", 0).name])], now: 0)
    let first = try #require(try await fixture.claim(LedgerFixture.alice, now: 1))
    try await fixture.ledger.fail(first, error: "no room", now: 2)
    let names = ["b", "a", "z"].map { JobName(stage: $0, chunk: 0) }
    let waiting = try await fixture.ledger.stories(of: names)
    #expect(waiting.map(\.name) == Array(names.prefix(2)))
    #expect(waiting.map(\.state) == [.waiting, .retryable])
    #expect(waiting[0].attempts == [])
    #expect(waiting[1].notBefore == 52)

    let second = try #require(try await fixture.claim(LedgerFixture.bob, now: 60))
    #expect(try await fixture.ledger.fail(second, error: "still none", now: 61) == .quarantined)
    let story = try #require(try await fixture.ledger.stories(of: [names[1]]).first)
    #expect(story.state == .quarantined)
    #expect(story.notBefore == nil)
    #expect(story.attempts.map(\.attempt) == [1, 2])
    #expect(story.attempts.map(\.host) == ["h", "h"])
    #expect(story.attempts.map(\.pid) == [1, 2])
    #expect(story.attempts.map(\.worker) == ["alice", "bob"])
    #expect(story.attempts.map(\.startedAt) == [1, 60])
    #expect(story.attempts.map(\.endedAt) == [2, 61])
    #expect(story.attempts.map(\.error) == ["no room", "still none"])
    #expect(story.attempts.allSatisfy { $0.outcome == .failed })
  }
}
