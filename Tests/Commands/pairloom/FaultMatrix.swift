import Foundation
import SeededRandom
import Synchronization

/// Runs a command again and again, with another use of an operation failing each time.
struct FaultMatrix: Sendable {
  static let parts = ["shards", "scores", "filtered", "dataset.json"]

  let seam: FaultSeam
  let folder: String
  /// Files beyond the run's folder that count.
  let list: String
  /// Puts into a folder what is there before the command; nothing for a run.
  let prepare: @Sendable (_ run: String) throws -> Void
  /// The command that fails, and the one that is to end what it has begun.
  let command: @Sendable (_ run: String) -> [String]
  let expected: [String: Data]
  let counts: [FaultSeam.Side: [FaultSeam.Kind: Int]]

  /// Runs the command undisturbed, for its bytes and the number of its uses.
  init(
    seam: FaultSeam, folder: String, list: String,
    prepare: @escaping @Sendable (_ run: String) throws -> Void = { _ in },
    command: @escaping @Sendable (_ run: String) -> [String]
  ) throws {
    (self.seam, self.folder, self.list) = (seam, folder, list)
    (self.prepare, self.command) = (prepare, command)
    let root = folder + "/whole"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    try prepare(root + "/run")
    let whole = try seam.run(command(root + "/run"), in: root, list: list, failing: nil)
    guard whole.status == 0, whole.failed == 0 else {
      throw CocoaError(.featureUnsupported, userInfo: [NSDebugDescriptionErrorKey: whole.error])
    }
    expected = try contents(of: root + "/run", Self.parts)
    counts = whole.counts
  }

  /// So many uses of each kind and process, spread over their numbers at random.
  func sample(_ each: Int, of kinds: [FaultSeam.Kind], seed: UInt64) -> [FaultSeam.Use] {
    var random = RandomStream(seed: seed)
    return uses(of: kinds) { count in
      (0..<min(each, count)).map { _ in
        1 + Int(random.uniform(in: 0..<Double(count)))
      }
    }
  }

  /// Every use of each kind and process.
  func all(of kinds: [FaultSeam.Kind]) -> [FaultSeam.Use] {
    uses(of: kinds) { Array(1..<$0 + 2) }
  }

  private func uses(
    of kinds: [FaultSeam.Kind], _ numbers: (_ count: Int) -> [Int]
  ) -> [FaultSeam.Use] {
    var uses: [FaultSeam.Use] = []
    for side in FaultSeam.Side.allCases {
      for kind in kinds {
        guard let count = counts[side]?[kind], count > 0 else { continue }
        for isLasting in [false, true] {
          for number in numbers(count) {
            let code = kind.codes[(number + (isLasting ? 1 : 0)) % kind.codes.count]
            uses.append(
              FaultSeam.Use(
                kind: kind, side: side, code: code, number: number, isLasting: isLasting))
          }
        }
      }
    }
    return uses
  }

  /// Checks each use, two at a time.
  ///
  /// - Returns: What was wrong, and how many commands did not end well.
  func check(_ uses: [FaultSeam.Use]) throws -> (problems: [String], ended: Int) {
    let found = Mutex<(problems: [String], ended: Int)>(([], 0))
    let next = Atomic(0)
    // Threads rather than tasks: they wait for processes.
    DispatchQueue.concurrentPerform(iterations: 2) { _ in
      while true {
        let place = next.add(1, ordering: .relaxed).oldValue
        guard place < uses.count else { return }
        let root = "\(folder)/case\(place)"
        var problems: [String]
        var didEnd = false
        do {
          (didEnd, problems) = try check(uses[place], at: root)
          for path in [root, root + ".told"] { try FileManager.default.removeItem(atPath: path) }
        } catch { problems = ["\(error)"] }
        found.withLock {
          $0.problems += problems.map { "\(uses[place]): \($0)" }
          $0.ended += didEnd ? 1 : 0
        }
      }
    }
    return found.withLock { $0 }
  }

  private func check(
    _ use: FaultSeam.Use, at root: String
  ) throws -> (didEnd: Bool, problems: [String]) {
    let run = root + "/run"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    try prepare(run)
    let first = try seam.run(command(run), in: root, list: list, failing: use)
    var problems = Self.problems(of: first, use, run: run, list: list)
    if first.status == 0 {
      if try contents(of: run, Self.parts) != expected { problems.append("0, but other bytes") }
      return (false, problems)
    }
    if FileManager.default.fileExists(atPath: run + "/dataset.json")
      || FileManager.default.fileExists(atPath: run + "/shards")
    {
      problems += try damage(in: run)
    }
    let second = try Program.run(command(run))
    if second.status != 0 { problems.append("a later run: \(second.error.suffix(600))") }
    let found = try contents(of: run, Self.parts)
    for name in Set(found.keys).union(expected.keys).sorted() where found[name] != expected[name] {
      problems.append("a later run has other bytes in \(name)")
    }
    let left = try FileManager.default.subpathsOfDirectory(atPath: root).filter {
      $0.hasSuffix(".tmp") || $0.contains("pairloom-bodies")
    }
    if !left.isEmpty { problems.append("a later run leaves \(left)") }
    let end = first.error.split(separator: "\n").last ?? ""
    return (true, problems.map { "\($0) [\(first.first): \(end)]" })
  }

  /// What is wrong with the end of a command that met a failure.
  private static func problems(
    of outcome: FaultSeam.Outcome, _ use: FaultSeam.Use, run: String, list: String
  ) -> [String] {
    if outcome.hung { return ["it hung"] }
    guard let status = outcome.status else { return ["a signal ended it: \(outcome.error)"] }
    if status == 0 { return [] }
    guard status == 1 else { return ["exit \(status): \(outcome.error)"] }
    let last = outcome.error.split(separator: "\n").last.map(String.init) ?? ""
    let reasons =
      [String(cString: strerror(use.code))]
      // SQLite's words for what befell its files, or itself.
      + [
        "disk I/O error", "database or disk is full", "out of memory", "database is locked",
        "unable to open database file", "locking protocol",
      ]
    // In one line: the program, a place and the reason.
    let isClear =
      last.hasPrefix("pairloom: ") && reasons.contains { last.contains($0) }
      && [run, list, "worker processes", "fetcher"].contains { last.contains($0) }
    return isClear ? [] : ["it does not say why it ended: \(outcome.error.suffix(600))"]
  }

  /// The published files that `verify` complains of; what is not there yet is no damage.
  ///
  /// Nor is a run.json that is behind: it is written after the ledger, and by the next command again.
  private func damage(in run: String) throws -> [String] {
    let result = try Program.run(["verify", run])
    let complaints = result.lines.prefix { !$0.contains(" problem") }.filter {
      !$0.hasPrefix(" ") && !$0.contains("a killed process left it") && $0.contains(": ")
        && !$0.hasPrefix("run.json: it is older than the ledger")
        && !$0.hasPrefix("what is done is well")
    }
    return complaints.map { "verify: \($0)" }
  }
}
