/// A job by what it does: one stage on one chunk.
public struct JobName: Hashable, Codable, Sendable, CustomStringConvertible {
  public var stage: String
  public var chunk: Int

  public init(stage: String, chunk: Int) {
    self.stage = stage
    self.chunk = chunk
  }

  public var description: String { "\(stage) \(chunk)" }
}

/// A job to be entered, with what it waits for.
public struct NewJob: Sendable, Equatable {
  public var name: JobName
  /// Among claimable jobs the highest rank goes first, so that what was begun is finished.
  public var rank: Int
  /// Jobs whose outputs it reads: when one is quarantined, so is this.
  public var needs: [JobName]
  /// Jobs that must settle first, whichever way.
  public var after: [JobName]

  public init(_ name: JobName, rank: Int, needs: [JobName] = [], after: [JobName] = []) {
    self.name = name
    self.rank = rank
    self.needs = needs
    self.after = after
  }
}

/// Who holds a lease: enough to tell on the same host whether that process still lives.
public struct LeaseOwner: Sendable, Equatable, Codable {
  public var host: String
  public var processID: Int
  /// Clock ticks between boot and the start of the process; tells a reused process number apart.
  public var processStart: Int
  public var worker: String

  public init(host: String, processID: Int, processStart: Int, worker: String) {
    self.host = host
    self.processID = processID
    self.processStart = processStart
    self.worker = worker
  }
}

/// The right to run one attempt of one job until `expires`.
public struct Lease: Sendable, Equatable {
  public var id: Int
  public var name: JobName
  /// The fencing token: grows with every claim, and a report with an older one is refused.
  public var attempt: Int
  /// Attempts of this job that failed before.
  public var failures: Int
  /// Milliseconds since 1970.
  public var expires: Int

  package init(id: Int, name: JobName, attempt: Int, failures: Int, expires: Int) {
    self.id = id
    self.name = name
    self.attempt = attempt
    self.failures = failures
    self.expires = expires
  }
}

/// One line of a job's history.
public struct JobAttempt: Sendable, Equatable, Codable {
  public enum Outcome: String, Codable, Sendable, CaseIterable {
    case running, completed, failed, released, expired
    case ownerDied = "owner_died"
  }
  public var name: JobName
  public var attempt: Int
  /// Where it ran: the host's name with the identity of its boot.
  public var host: String
  public var pid: Int
  public var worker: String
  /// Milliseconds since 1970.
  public var startedAt: Int
  public var endedAt: Int?
  public var outcome: Outcome
  public var error: String?
}

/// How often and after what pause a failed job is tried again.
public struct RetryPolicy: Sendable, Equatable {
  /// Failures after which a job is quarantined.
  public var maxFailures: Int
  /// Milliseconds before the second attempt; doubled for every further one.
  public var basePause: Int
  /// The longest pause in milliseconds.
  public var longestPause: Int

  public init(maxFailures: Int = 4, basePause: Int = 1_000, longestPause: Int = 60_000) {
    precondition(maxFailures > 0 && basePause >= 0, "a job needs one attempt and no negative pause")
    self.maxFailures = maxFailures
    self.basePause = basePause
    self.longestPause = longestPause
  }

  /// The pause after the `failures`-th failure (counted from 1), in milliseconds.
  public func pause(afterFailure failures: Int) -> Int {
    min(longestPause, basePause << min(failures - 1, 20))
  }
}
