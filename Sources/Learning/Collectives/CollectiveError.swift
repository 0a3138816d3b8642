/// Why ranks could not work together: what failed, with whom, and what to do next.
///
/// After any of these the group is broken: each later operation throws the same error, and every
/// other rank is told. Start the ranks again; training resumes from its last checkpoint.
public enum CollectiveError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Host and port could not be understood, resolved or bound.
  case badRendezvous(String)
  /// The ranks did not all arrive before the deadline.
  case notAllArrived(missing: [Int], seconds: Double)
  /// Rank 0 answers, but refuses this rank.
  case refused(String)
  /// A rank's connection ended, or that rank reported the loss of another.
  case peerLost(rank: Int, operation: String)
  /// Nothing of what was awaited from `waitingFor` came in time.
  case timedOut(operation: String, waitingFor: Int, seconds: Double)
  /// A frame that this program would not have sent at this point.
  case protocolViolation(rank: Int, String)
  /// The system refused a socket call.
  case system(call: String, errorNumber: Int32)
  /// The group was closed by this rank.
  case closed

  public var description: String {
    switch self {
    case .badRendezvous(let text):
      "rendezvous \(text). Give host:port of rank 0, such as 10.0.0.1:29500 or [fd00::1]:29500."
    case .notAllArrived(let missing, let seconds):
      "ranks \(missing) did not arrive within \(seconds) s. Look at their output, and whether the "
        + "rendezvous port is open between the hosts."
    case .refused(let reason):
      "rank 0 refused this rank: \(reason). Start all ranks with the same token and world size."
    case .peerLost(let rank, let operation):
      "lost rank \(rank) during \(operation). Look at that rank's output, then start all ranks "
        + "again: training resumes from its last checkpoint."
    case .timedOut(let operation, let rank, let seconds):
      "\(operation) waited \(seconds) s for rank \(rank). It may be stopped, swapping or cut off; "
        + "start all ranks again, or raise the deadline."
    case .protocolViolation(let rank, let what):
      "rank \(rank) sent \(what). Do all ranks run the same program with the same manifest?"
    case .system(let call, let errorNumber):
      "\(call) failed with error \(errorNumber). Check the limit on open files and the network."
    case .closed: "the process group was closed by this rank"
    }
  }
}
