/// One go at a training run: from a start of the program to its end.
public struct TrainingAttempt: Sendable, Equatable, Codable {
  /// How it ended, or that it has not.
  public enum Outcome: String, Sendable, Codable, CaseIterable {
    case running
    /// The last step was done.
    case done
    /// It was asked to stop, and wrote a checkpoint.
    case stopped
    /// Its process is gone, and said nothing.
    case killed
    /// It ended with an error.
    case failed
  }

  /// From 1.
  public var number: Int
  /// Its host without the boot, and its process.
  public var host: String
  public var process: Int
  /// Milliseconds since 1970.
  public var startedAt: Int
  /// When it last showed that it lives.
  public var seenAt: Int
  /// Nil while it runs; of a killed one, when it was last seen.
  public var endedAt: Int?
  /// Steps done before it; nil until it has read its checkpoint.
  public var fromStep: Int?
  /// Steps done when it was last seen, or at its end.
  public var toStep: Int?
  public var outcome: Outcome
  /// The error's words, of a failed one.
  public var error: String?
  /// What it worked with, such as hashes of manifest and data.
  public var facts: [String: String]

  public init(
    number: Int, host: String, process: Int, startedAt: Int, seenAt: Int, endedAt: Int? = nil,
    fromStep: Int? = nil, toStep: Int? = nil, outcome: Outcome, error: String? = nil,
    facts: [String: String] = [:]
  ) {
    self.number = number
    self.host = host
    self.process = process
    self.startedAt = startedAt
    self.seenAt = seenAt
    self.endedAt = endedAt
    self.fromStep = fromStep
    self.toStep = toStep
    self.outcome = outcome
    self.error = error
    self.facts = facts
  }
}

/// A checkpoint that an attempt has published.
public struct TrainingCheckpoint: Sendable, Equatable, Codable {
  /// Its path in the run's folder.
  public var file: String
  public var step: Int
  /// The number of the attempt that wrote it.
  public var attempt: Int
  public var bytes: Int
  /// Of the file, 64 hexadecimal digits.
  public var sha256: String
  /// Milliseconds since 1970.
  public var writtenAt: Int
  /// When it was found to be gone: rotated away; nil while it is there.
  public var removedAt: Int?

  public init(
    file: String, step: Int, attempt: Int, bytes: Int, sha256: String, writtenAt: Int,
    removedAt: Int? = nil
  ) {
    self.file = file
    self.step = step
    self.attempt = attempt
    self.bytes = bytes
    self.sha256 = sha256
    self.writtenAt = writtenAt
    self.removedAt = removedAt
  }
}

extension [TrainingAttempt] {
  /// The newest that took up the run: what one works with that was refused before says nothing of it.
  public var taken: TrainingAttempt? { last { $0.fromStep != nil } }
}

/// Why a training run's ledger cannot be used, or its folder not be worked on.
public struct TrainingLedgerError: Error, Sendable, Equatable, CustomStringConvertible {
  public var path: String
  public var problem: String

  init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  public var description: String { "\(path): \(problem)" }
}
