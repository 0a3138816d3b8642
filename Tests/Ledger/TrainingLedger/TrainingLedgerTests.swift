import Foundation
import JobLedger
import TestTools
import Testing
import TrainingLedger

@Suite struct TrainingLedgerTests {
  private func open(_ folder: String) throws -> TrainingLedger {
    try #require(try TrainingLedger.open(folder: folder, making: true))
  }

  @Test("attempts begin, are seen, and end as done, stopped or failed")
  func attempts() async throws {
    try await ScratchFolder.use { folder in
      #expect(try TrainingLedger.open(folder: folder, making: false) == nil)
      let ledger = try open(folder)
      #expect(try ledger.attempts().isEmpty)
      let first = try ledger.begin(facts: ["data": "aa"], now: 1_000)
      try ledger.touch(first, from: 0, to: 3, now: 2_000)
      try ledger.end(first, .stopped, to: 5, now: 3_000)
      let second = try ledger.begin(facts: ["data": "bb"], now: 4_000)
      try ledger.end(second, .failed, error: "loss nan", now: 5_000)
      let third = try ledger.begin(facts: [:], now: 6_000)
      let again = try #require(try TrainingLedger.open(folder: folder, making: false))
      let attempts = try again.attempts()
      #expect(attempts.map(\.number) == [1, 2, 3] && third == 3)
      #expect(attempts.map(\.outcome) == [.stopped, .failed, .running])
      #expect(attempts[0].fromStep == 0 && attempts[0].toStep == 5 && attempts[0].endedAt == 3_000)
      #expect(attempts[1].error == "loss nan" && attempts[1].facts == ["data": "bb"])
      #expect(attempts[2].process == Int(getpid()) && attempts[2].endedAt == nil)
    }
  }

  @Test("while a process lives no other begins; one that is gone was killed, and may write no more")
  func taking() async throws {
    try await ScratchFolder.use { folder in
      let ledger = try open(folder)
      let first = try ledger.begin(facts: [:], now: 1_000)
      let error = #expect(throws: TrainingLedgerError.self) {
        try ledger.begin(facts: [:], now: 9_000)
      }
      #expect(error?.description.contains("process \(getpid()) trains in this folder") == true)
      #expect(try ledger.refusal(now: 9_000) != nil)
      try ledger.end(first, .done, now: 9_000)
      #expect(try ledger.refusal(now: 9_000) == nil)

      // A process of this host and boot that is no more.
      var gone = ProcessIdentity.owner(worker: "train")
      gone.processStart -= 1
      let second = try ledger.begin(facts: [:], owner: gone, now: 10_000)
      try ledger.touch(second, from: 5, to: 7, now: 11_000)
      let third = try ledger.begin(facts: [:], lastStep: 9, now: 12_000)
      let killed = try ledger.attempts()[1]
      #expect(killed.outcome == .killed && killed.endedAt == 11_000 && killed.toStep == 9)
      #expect(throws: TrainingLedgerError.self) { try ledger.touch(second, now: 13_000) }
      #expect(throws: TrainingLedgerError.self) { try ledger.end(second, .done, now: 13_000) }
      try ledger.end(third, .done, now: 13_000)
    }
  }

  @Test(
    "a process of another host counts while it was seen of late; the same host rebooted is dead")
  func hosts() async throws {
    try await ScratchFolder.use { folder in
      let ledger = try open(folder)
      let here = ProcessIdentity.owner(worker: "train")
      let there = LeaseOwner(
        host: "elsewhere/12345678", processID: 1, processStart: 1, worker: "train")
      _ = try ledger.begin(facts: [:], owner: there, now: 1_000)
      #expect(throws: TrainingLedgerError.self) {
        try ledger.begin(facts: [:], now: 1_000 + TrainingLedger.attemptLife - 1)
      }
      _ = try ledger.begin(
        facts: [:],
        owner: LeaseOwner(
          host: ProcessIdentity.machine(of: here.host) + "/00000000",
          processID: here.processID, processStart: here.processStart, worker: "train"),
        now: 1_000 + TrainingLedger.attemptLife)
      _ = try ledger.begin(facts: [:], now: 1_001 + TrainingLedger.attemptLife)
      #expect(try ledger.attempts().map(\.outcome) == [.killed, .killed, .running])
    }
  }

  @Test("checkpoints are entered, replaced and marked as gone; they stay on record")
  func checkpoints() async throws {
    try await ScratchFolder.use { folder in
      let ledger = try open(folder)
      let attempt = try ledger.begin(facts: [:], now: 1)
      func entry(_ step: Int, _ digit: String) -> TrainingCheckpoint {
        TrainingCheckpoint(
          file: "checkpoints/step-\(step)", step: step, attempt: attempt, bytes: 10,
          sha256: String(repeating: digit, count: 64), writtenAt: step)
      }
      for step in [7, 14] { try ledger.enter(entry(step, "a")) }
      try ledger.enter(entry(14, "b"))
      try ledger.remove(["checkpoints/step-7", "checkpoints/unknown"], now: 20)
      try ledger.remove(["checkpoints/step-7"], now: 30)
      let found = try ledger.checkpoints()
      #expect(found.map(\.step) == [7, 14] && found.map(\.removedAt) == [20, nil])
      #expect(found[1] == entry(14, "b"))
    }
  }

  @Test("what is no ledger, or one of a later program, is refused with what to do")
  func refusals() async throws {
    try await ScratchFolder.use { folder in
      let path = folder + "/" + TrainingLedger.fileName
      try String(repeating: "no database ", count: 100)
        .write(toFile: path, atomically: true, encoding: .utf8)
      let error = #expect(throws: TrainingLedgerError.self) {
        try TrainingLedger.open(folder: folder, making: true)
      }
      #expect(error?.description.contains("remove it") == true, "\(String(describing: error))")
      #expect(throws: TrainingLedgerError.self) {
        try TrainingLedger.open(folder: folder + "/nowhere", making: true)
      }
    }
  }
}
