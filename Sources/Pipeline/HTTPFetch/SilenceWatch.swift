/// Looks through the transfers under way a few times a second.
///
/// One that needs more than two seconds for its next 4 KiB counts as silent: it is left to its
/// deadlines, and its place goes to another, as dead and dripping servers must not take the
/// throughput of the others. One that waits for its first byte for too long is to be ended.
struct SilenceWatch {
  /// Seconds between two looks.
  private let interval: Double
  private let firstByteDeadline: Double
  /// When the next look is due, monotonic seconds; nil while nothing is under way.
  private(set) var nextDue: Double?
  /// Transfers that were silent at the last look and are still under way.
  private(set) var silentCount = 0

  init(firstByteDeadline: Double) {
    self.firstByteDeadline = firstByteDeadline
    interval = min(0.25, firstByteDeadline / 4)
  }

  /// Makes sure of a look although nothing happens.
  mutating func begin(now: Double) { nextDue = nextDue ?? (now + interval) }

  /// Forgets a transfer that has ended.
  mutating func end(_ easy: CurlEasy) {
    if easy.silence.isSilent { silentCount -= 1 }
    easy.silence = Silence()
  }

  /// Looks, if it is time.
  ///
  /// - Returns: The transfers whose first byte is overdue; the caller ends them.
  mutating func look(at transfers: some Collection<CurlEasy>, now: Double) -> [CurlEasy] {
    guard let due = nextDue, due <= now else { return [] }
    nextDue = transfers.isEmpty ? nil : now + interval
    var overdue: [CurlEasy] = []
    silentCount = 0
    for easy in transfers {
      if easy.silence.note(heard: easy.heard, now: now) { silentCount += 1 }
      if easy.heard == 0, easy.isFirstByteOverdue(after: firstByteDeadline, now: now) {
        overdue.append(easy)
      }
    }
    return overdue
  }
}

/// Since when a transfer has said next to nothing.
struct Silence {
  /// Fewer bytes than this in `patience` seconds are next to nothing.
  private static let voice = 4096
  private static let patience = 2.0

  private var heard = 0
  private var since: Double?
  private(set) var isSilent = false

  /// - Parameters:
  ///   - heard: Bytes that came so far.
  ///   - now: Monotonic seconds.
  /// - Returns: `isSilent`.
  mutating func note(heard: Int, now: Double) -> Bool {
    if since == nil || heard - self.heard >= Self.voice { (self.heard, since) = (heard, now) }
    isSilent = now - (since ?? now) >= Self.patience
    return isSilent
  }
}
