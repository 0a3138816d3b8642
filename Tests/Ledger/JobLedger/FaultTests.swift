import Foundation
import JobLedger
import Testing

/// What is wrong with a ledger's file is told, and told as damage.
@Suite struct FaultTests {
  /// A ledger of 200 jobs in one closed file.
  private static func closed() async throws -> LedgerFixture {
    let fixture = try LedgerFixture()
    try await fixture.ledger.add((0..<200).map { job("a", $0) }, now: 0)
    let lease = try #require(try await fixture.claim())
    try await fixture.ledger.complete(lease, counts: "{\"kept\":1}", now: 1)
    try await fixture.ledger.close()
    return fixture
  }

  private static func faults(_ path: String) async throws -> [String] {
    do {
      return try await SQLiteLedger(path: path).faults(isThorough: true)
    } catch LedgerError.damaged(_, let message) {
      return [message]
    }
  }

  @Test("a closed ledger is one file, and sound")
  func sound() async throws {
    let fixture = try await Self.closed()
    defer { fixture.remove() }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: fixture.folder) == ["ledger.sqlite"])
    #expect(try await Self.faults(fixture.ledger.path) == [])
    let again = try SQLiteLedger(path: fixture.ledger.path)
    #expect(try await again.faults(isThorough: false) == [])
  }

  @Test("garbage and lost pages are damage, with the command that mends it")
  func damages() async throws {
    let fixture = try await Self.closed()
    defer { fixture.remove() }
    let path = fixture.ledger.path
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let garbage = Data((0..<whole.count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) })
    var blank = whole
    blank.replaceSubrange(8_192..<12_288, with: Data(count: 4_096))
    for bytes in [whole.prefix(whole.count / 2), whole.prefix(4_096), garbage, blank] {
      for ending in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) }
      try bytes.write(to: URL(fileURLWithPath: path))
      #expect(try await !Self.faults(path).isEmpty)
    }
    let error = LedgerError.damaged(path: "/x/run/ledger.sqlite", message: "m")
    #expect("\(error)".contains("`pairloom verify /x/run --repair`"))
  }

  @Test(
    "a process that holds the ledger is found, and none where it is closed",
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
  func holders() async throws {
    let fixture = try await Self.closed()
    defer { fixture.remove() }
    #expect(LedgerFile.holder(of: fixture.ledger.path) == nil)
    #expect(LedgerFile.size(fixture.ledger.path) ?? 0 > 4_096)
    #expect(LedgerFile.size(fixture.folder + "/none") == nil)
    let script = """
      import sqlite3, sys
      c = sqlite3.connect(sys.argv[1]); c.execute('SELECT COUNT(*) FROM jobs').fetchall()
      print('open', flush=True); sys.stdin.read()
      """
    let python = Process()
    python.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    python.arguments = ["-c", script, fixture.ledger.path]
    let (input, output) = (Pipe(), Pipe())
    python.standardInput = input
    python.standardOutput = output
    try python.run()
    #expect(!output.fileHandleForReading.availableData.isEmpty)
    #expect(LedgerFile.holder(of: fixture.ledger.path) == python.processIdentifier)
    try input.fileHandleForWriting.close()
    python.waitUntilExit()
  }
}
