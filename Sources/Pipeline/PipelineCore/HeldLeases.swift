import JobLedger
import Synchronization

/// The leases that a process holds, so that none outlives its work, whatever ends that.
///
/// A lease that could not be handed back, as the disk of the ledger was full, is tried once more when
/// the work has ended; and one whose work cannot be ended is handed back over its head.
public final class HeldLeases: Sendable {
  private struct Attempt: Hashable {
    var job: Int
    var number: Int

    init(_ lease: Lease) {
      job = lease.id
      number = lease.attempt
    }
  }
  private let held = Mutex<[Attempt: (lease: Lease, ledger: any Ledger)]>([:])

  public init() {}

  func add(_ lease: Lease, of ledger: any Ledger) {
    held.withLock { $0[Attempt(lease)] = (lease, ledger) }
  }

  func remove(_ lease: Lease) { held.withLock { $0[Attempt(lease)] = nil } }

  /// Hands back all that is held.
  ///
  /// What the ledger refuses stays: whoever resumes the run finds this process dead, and takes it.
  ///
  /// - Parameter now: Milliseconds since 1970.
  public func release(now: Int) async {
    for (lease, ledger) in held.withLock({ Array($0.values) }) {
      do throws(LedgerError) {
        try await ledger.release(lease, now: now)
        remove(lease)
      } catch {
        if case .leaseLost = error { remove(lease) }
      }
    }
  }
}
