/// Where a job stands.
///
/// ```
/// waiting ─(all needs settled)→ available ─claim→ leased ─complete→ completed
///    │                             ↑   ↑             ├─fail→ retryable ─claim (after not_before)→ leased
///    │                             │   └───release───┤  └─fail, attempts used up→ quarantined
///    │                             └──────rescue─────┘
///    └─(a job that it needs was quarantined)→ quarantined
/// ```
/// A completed job whose outputs are lost is reopened: it is available, or waits for one that is
/// reopened with it, and what has not been begun and depends on it waits again. A quarantined job that
/// a person hands back goes the same way.
public enum JobState: String, Codable, Sendable, CaseIterable {
  /// Some job that it depends on has not settled.
  case waiting
  /// May be claimed.
  case available
  /// A worker holds it until its lease expires.
  case leased
  /// Failed; may be claimed after a pause.
  case retryable
  /// Done; its outputs are durable.
  case completed
  /// Given up, with its history; nobody claims it.
  case quarantined

  /// Nothing will happen to it any more, so what waits for it may go on.
  public var isSettled: Bool { self == .completed || self == .quarantined }
}

/// What may happen to a job.
public enum JobEvent: Sendable, Equatable, CaseIterable {
  case unblocked
  case claimed
  case completed
  case failed
  case failedForGood
  case released
  case rescued
  case needWasQuarantined
  case reopened
  case reopenedWithNeed
  case needWasReopened
  case handedBack
  case handedBackWithNeed
}

extension JobState {
  /// The state after `event`, or nil where the event cannot happen in this state.
  ///
  /// The SQL of ``SQLiteLedger`` names the state it expects in every update; this table is what the
  /// statements are tested against.
  public func after(_ event: JobEvent) -> JobState? {
    switch (self, event) {
    case (.waiting, .unblocked): .available
    case (.waiting, .needWasQuarantined): .quarantined
    case (.available, .claimed), (.retryable, .claimed): .leased
    case (.leased, .completed): .completed
    case (.leased, .failed): .retryable
    case (.leased, .failedForGood): .quarantined
    case (.leased, .released), (.leased, .rescued): .available
    case (.completed, .reopened): .available
    case (.completed, .reopenedWithNeed): .waiting
    case (.quarantined, .handedBack): .available
    case (.quarantined, .handedBackWithNeed): .waiting
    case (.waiting, .needWasReopened), (.available, .needWasReopened),
      (.retryable, .needWasReopened):
      .waiting
    default: nil
    }
  }
}
