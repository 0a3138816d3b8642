import Foundation
import SeededRandom

/// Sends SIGKILL to the processes of a run, at random moments and to a random one, until it is done.
///
/// A process of the run itself that was killed is started again; a decoder is its parent's to replace.
struct KillMatrix {
  /// Kills that have hit, by what they have hit.
  struct Tally: CustomStringConvertible {
    /// Of whole processes: none when it had just ended by itself.
    var runs = 0
    var decoders = 0
    /// How the processes that were not killed have ended.
    var ends: [(status: Int32, error: String)] = []
    var all: Int { runs + decoders }

    var description: String { "\(all) kills: \(runs) of runs, \(decoders) of decoders" }
  }

  /// What each process is started with.
  var command: [String]
  /// Where what they say goes.
  var logs: String
  /// Processes at a time.
  var runs: Int

  /// Kills until the run has ended by itself.
  ///
  /// - Parameters:
  ///   - most: Kills after which the run is let alone.
  ///   - random: Says when and whom.
  ///   - onKill: Told the kills so far.
  /// - Returns: What was hit.
  /// - Throws: Where a process cannot be started or looked at.
  func work(
    most: Int, _ random: inout RandomStream, onKill: (Int) -> Void
  ) throws -> Tally {
    var tally = Tally()
    var live: [RunningProgram] = []
    var isOver = false
    while !isOver || !live.isEmpty {
      while !isOver && live.count < runs { live.append(try RunningProgram(command, in: logs)) }
      // The moment is random; that it takes time is the point.
      let moment = Date.now.addingTimeInterval(random.uniform(in: 0.02..<0.6))
      while Date.now < moment, live.allSatisfy(\.isRunning) { usleep(2_000) }
      for program in live where !program.isRunning {
        guard let end = try program.end(within: 10) else { continue }
        tally.ends.append(end)
        isOver = true
      }
      live.removeAll { !$0.isRunning }
      guard tally.all < most, !isOver, !live.isEmpty else { continue }

      let victim = live[random.integer(below: live.count)]
      let decoders = try RunProcesses.decoders(of: victim.identifier)
      if random.integer(below: 3) > 0, !decoders.isEmpty {
        let decoder = decoders[random.integer(below: decoders.count)]
        guard RunProcesses.isLive(decoder), kill(decoder, SIGKILL) == 0 else { continue }
        tally.decoders += 1
      } else {
        victim.send(SIGKILL)
        let end = try victim.end(within: 60)
        live.removeAll { $0 === victim }
        if victim.wasKilled {
          tally.runs += 1
        } else if let end {
          tally.ends.append(end)
          isOver = true
        }
      }
      onKill(tally.all)
    }
    return tally
  }
}
