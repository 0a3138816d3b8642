import Glibc
import Synchronization

/// How many transfers are open at each host, over all processes that map one file.
///
/// A row of counters per process, a counter per hash of a host: only its owner writes to a row, and
/// a host's sum is taken over the rows in use. An owner holds a lock on a byte of the file
/// (F_OFD_SETLK), which the kernel gives up however the process ends; whoever then waits for a place
/// finds the lock free and takes the row out of use, so a process that was killed keeps no place.
/// Nobody ever waits for a lock. Hosts that share a counter keep one bound together, which is only
/// stricter.
///
/// A process that was stopped (SIGSTOP, a debugger, a machine asleep) lives and works on nothing: who
/// does not `beat` for ``silence`` is not counted until it goes on, or it would keep all others
/// waiting for as long as it is stopped.
///
/// Who is refused a place notes that it waits. Where one process has waited for a tenth of a second,
/// the others take no more than their share until it has had its turn, the longest waiting first.
package final class HostPlaces: @unchecked Sendable {
  // Sendable: made by one thread, and after that used by the loop's thread alone.
  private let mapping: SharedMapping
  private let offset: Int
  /// The row of this process.
  private let row: Int
  private var checkedAt = -Double.infinity

  /// Processes that may share a file.
  package static let rowCount = 64
  private static let bucketCount = 1 << 13
  /// When the owner of each row was last heard of; then how many rows have ever been.
  ///
  /// Milliseconds and one; 0 for a row that is not in use.
  private static let headerCount = 128
  private static let rowsSeen = 64
  static let byteCount = (headerCount + rowCount * bucketCount) * MemoryLayout<Atomic<Int64>>.stride

  /// Seconds after which to ask again for a place that another process holds.
  package static let patience = 0.02
  /// Seconds after which a process that does not beat counts as stopped: many times what a busy machine
  /// keeps a living one from its turn.
  package static let silence = 10.0
  /// Seconds within which who has places open must beat again.
  static let pulse = 1.0
  /// Seconds between two looks for rows whose owners are gone.
  private static let checkPeriod = 0.25

  /// Takes a row.
  ///
  /// - Parameters:
  ///   - mapping: Of a file, or memory that no other process sees.
  ///   - offset: Where in it the table begins, in bytes.
  ///   - now: Monotonic seconds.
  /// - Throws: `FetcherError` where all rows are taken or the file has no locks.
  init(_ mapping: SharedMapping, offset: Int, now: Double) throws(FetcherError) {
    self.mapping = mapping
    self.offset = offset
    var row = 0
    if mapping.descriptor >= 0 {
      while row < Self.rowCount, try !Self.lock(row, F_WRLCK, of: mapping) { row += 1 }
    }
    guard row < Self.rowCount else {
      throw FetcherError(
        operation: "take part in a run",
        detail: "\(Self.rowCount) processes share its hosts already: use more workers per process")
    }
    self.row = row
    // Of its owner before, if it had one.
    for bucket in 0..<Self.bucketCount { word(row, bucket) { $0.store(0, ordering: .relaxed) } }
    beat(now: now)
    header(Self.rowsSeen) { _ = $0.max(Int64(row + 1), ordering: .sequentiallyConsistent) }
  }

  /// Whether no process has a row, this one included; false for memory, which begins empty.
  ///
  /// - Throws: `FetcherError` where the file has no locks.
  static func isUnused(_ mapping: SharedMapping) throws(FetcherError) -> Bool {
    guard mapping.descriptor >= 0 else { return false }
    var range = flock()
    range.l_type = Int16(F_WRLCK)
    range.l_whence = Int16(SEEK_SET)
    range.l_len = off_t(rowCount)
    let ofdGetLock: Int32 = 36  // F_OFD_GETLK, which only _GNU_SOURCE shows
    // Safe: the call reads and writes the structure.
    guard unsafe fcntl(mapping.descriptor, ofdGetLock, &range) == 0 else {
      throw FetcherError(systemCall: "look for locks in the table of hosts")
    }
    return range.l_type == Int16(F_UNLCK)
  }

  deinit {
    header(row) { $0.store(0, ordering: .sequentiallyConsistent) }
    guard mapping.descriptor >= 0 else { return }
    // Closing the file gives it up too, but not while a process is being started: that one holds
    // all descriptors until its exec.
    do { _ = try Self.lock(row, F_UNLCK, of: mapping) } catch {
      // It is given up when the file is closed, right after this.
    }
  }

  /// Says that this process works: its places count.
  package func beat(now: Double) {
    header(row) { $0.store(Self.mark(now), ordering: .sequentiallyConsistent) }
  }

  private static func mark(_ now: Double) -> Int64 { Int64(now * 1000) + 1 }

  /// Takes a place at a host, if there is one.
  ///
  /// - Parameters:
  ///   - key: The host's hash.
  ///   - limit: The most places of a host over all processes.
  ///   - now: Monotonic seconds.
  /// - Returns: False where all are taken, or others are to have theirs first: ask again after
  ///   `patience`.
  package func claim(_ key: UInt64, limit: Int, now: Double) -> Bool {
    let bucket = Int(truncatingIfNeeded: key % UInt64(Self.bucketCount))
    let tick = Place.tick(now)
    beat(now: now)
    var mine = word(row, bucket) { Place($0.load(ordering: .relaxed)) }
    let waited = mine.waited(at: tick)
    // Counted before the others are asked: of two that take the last place at once, one at the
    // least sees the other.
    mine.open += 1
    word(row, bucket) { $0.store(mine.bits, ordering: .sequentiallyConsistent) }
    var (total, sharers, yields) = (mine.open, 1, false)
    let rowsSeen = Int(header(Self.rowsSeen) { $0.load(ordering: .acquiring) })
    for other in 0..<min(rowsSeen, Self.rowCount) where other != row && counts(other, now: now) {
      let theirs = word(other, bucket) { Place($0.load(ordering: .sequentiallyConsistent)) }
      total += theirs.open
      let theyWaited = theirs.waited(at: tick)
      if theirs.open > 0 || theyWaited != nil { sharers += 1 }
      guard let theyWaited, theyWaited >= Place.turn else { continue }
      if let waited, (waited, other) > (theyWaited, row) { continue }
      yields = true
    }
    let isOurs = total <= limit && (!yields || mine.open <= limit / sharers)
    if isOurs {
      mine.stopWaiting()
    } else {
      mine.open -= 1
      mine.wait(at: tick, since: waited)
    }
    word(row, bucket) { $0.store(mine.bits, ordering: .sequentiallyConsistent) }
    if !isOurs { endRowsOfTheDead(now: now) }
    return isOurs
  }

  /// Gives a place back.
  package func release(_ key: UInt64) {
    let bucket = Int(truncatingIfNeeded: key % UInt64(Self.bucketCount))
    word(row, bucket) { word in
      var mine = Place(word.load(ordering: .relaxed))
      precondition(mine.open > 0, "a place that nobody took")
      mine.open -= 1
      word.store(mine.bits, ordering: .releasing)
    }
  }

  private func endRowsOfTheDead(now: Double) {
    guard mapping.descriptor >= 0, now - checkedAt >= Self.checkPeriod else { return }
    checkedAt = now
    for other in 0..<Self.rowCount where other != row && isInUse(other) {
      do {
        // While we hold its lock nobody else takes the row.
        guard try Self.lock(other, F_WRLCK, of: mapping) else { continue }
        header(other) { $0.store(0, ordering: .sequentiallyConsistent) }
        _ = try Self.lock(other, F_UNLCK, of: mapping)
      } catch {
        return  // no memory for locks now: at the next look
      }
    }
  }

  private func isInUse(_ row: Int) -> Bool {
    header(row) { $0.load(ordering: .sequentiallyConsistent) } != 0
  }

  /// Whether a row's owner was heard of lately; a mark of before a machine's restart may lie ahead.
  private func counts(_ row: Int, now: Double) -> Bool {
    let mark = header(row) { $0.load(ordering: .sequentiallyConsistent) }
    return mark != 0 && abs(Self.mark(now) - mark) <= Int64(Self.silence * 1000)
  }

  private func header<Result>(_ index: Int, _ use: (borrowing Atomic<Int64>) -> Result) -> Result {
    let start = unsafe mapping.base + offset
    // Safe: within the mapping; an Atomic<Int64> is its eight bytes, and zeros are a value.
    return use(
      unsafe start.assumingMemoryBound(to: Atomic<Int64>.self)[index])
  }

  private func word<Result>(
    _ row: Int, _ bucket: Int, _ use: (borrowing Atomic<Int64>) -> Result
  ) -> Result {
    header(Self.headerCount + row * Self.bucketCount + bucket, use)
  }

  /// Tries to take or to give up the lock of a row; false when another holds it.
  private static func lock(
    _ row: Int, _ kind: Int32, of mapping: SharedMapping
  ) throws(FetcherError) -> Bool {
    var range = flock()
    range.l_type = Int16(kind)
    range.l_whence = Int16(SEEK_SET)
    range.l_start = off_t(row)
    range.l_len = 1
    let ofdSetLock: Int32 = 37  // F_OFD_SETLK, which only _GNU_SOURCE shows
    // Safe: the call reads the structure.
    if unsafe fcntl(mapping.descriptor, ofdSetLock, &range) == 0 { return true }
    guard errno == EAGAIN || errno == EACCES else {
      throw FetcherError(systemCall: "lock the table of hosts")
    }
    return false
  }
}

/// A process's counter at a host: open transfers, and since when it waits for another.
///
/// 20 bits of count; when it began to wait and when it asked last, 22 bits each, in hundredths of a
/// second that begin anew after 11 hours.
private struct Place {
  var open: Int
  private var since: Int64
  /// 0 while it does not wait.
  private var asked: Int64

  private static let mask: Int64 = 1 << 22 - 1
  /// Who has not asked for so long waits no more; ticks.
  private static let lapse: Int64 = 25
  /// How long who waits leaves the others their places.
  static let turn: Int64 = 10

  init(_ bits: Int64) {
    open = Int(bits & (1 << 20 - 1))
    since = bits >> 20 & Self.mask
    asked = bits >> 42 & Self.mask
  }

  var bits: Int64 { Int64(open) | since << 20 | asked << 42 }

  static func tick(_ now: Double) -> Int64 { max(1, Int64(now * 100) & mask) }

  /// Ticks for which it has waited; nil when it does not.
  func waited(at tick: Int64) -> Int64? {
    guard asked != 0, (tick - asked) & Self.mask <= Self.lapse else { return nil }
    return (tick - since) & Self.mask
  }

  /// - Parameters:
  ///   - tick: Now.
  ///   - waited: What `waited(at:)` said.
  mutating func wait(at tick: Int64, since waited: Int64?) {
    if waited == nil { since = tick }
    asked = tick
  }

  mutating func stopWaiting() { (since, asked) = (0, 0) }
}
