/// How many transfers run at a time: climbs while that brings more answers, and no further.
///
/// Hill climbing on goodput, the answers per second. A window lasts a second or more. While windows
/// in which all places were taken bring clearly more than the level below, it grows by half;
/// otherwise it goes back to the last level that paid and stays there, for longer each time that a
/// probe above (or below: the same goodput from fewer transfers is better) finds nothing. Where
/// many more exchanges than usual fail to connect or time out, it falls by a third at once, as TCP
/// does. Time comes in as a parameter.
package struct ConcurrencyControl {
  /// Transfers that may run at a time.
  package private(set) var limit: Int

  private let range: ClosedRange<Int>
  private var windowBegan: Double?
  private var answers = 0
  private var failures = 0
  private var wasFull = false
  /// The level to go back to, and its goodput: answers per second.
  private var base: (limit: Int, goodput: Double)?
  /// Windows to stay at the base, and how many of them are left.
  private var patience = Self.shortest
  private var rest = 0
  private var probesDown = false
  /// The share of failures that this list has anyway, a moving average.
  private var usualFailures = 0.0

  private static let shortest = 8
  private static let longest = 64

  package init(least: Int, most: Int) {
    range = min(least, most)...most
    limit = min(max(64, least), most)
  }

  /// An exchange brought an answer, whichever.
  package mutating func answered() { answers += 1 }

  /// An exchange failed as it would on a network that is asked for too much: connection or timeout.
  package mutating func failed() { failures += 1 }

  /// Ends the window if it is old enough, and sets `limit` anew.
  ///
  /// - Parameters:
  ///   - now: Monotonic seconds.
  ///   - isFull: Whether transfers wait for a place now.
  package mutating func adjust(now: Double, isFull: Bool) {
    wasFull = wasFull || isFull
    guard let began = windowBegan else {
      windowBegan = now
      return
    }
    let seconds = now - began
    guard seconds >= 1, answers + failures >= 8 || seconds >= 5 else { return }
    let goodput = Double(answers) / seconds
    let share = Double(failures) / Double(max(1, answers + failures))
    defer {
      usualFailures += (share - usualFailures) * 0.1
      (windowBegan, answers, failures, wasFull) = (now, 0, 0, false)
    }
    guard share < max(0.25, 3 * usualFailures) else {
      base = nil
      return set(limit * 2 / 3)
    }
    // A window with free places says nothing of this level.
    guard wasFull else { return }
    climb(goodput)
  }

  private mutating func climb(_ goodput: Double) {
    guard let base else {
      base = (limit, goodput)
      return set(limit + limit / 2)
    }
    if limit > base.limit {
      // A quarter of what the growth would bring at best; less than 3 % is noise.
      let growth = Double(limit) / Double(base.limit) - 1
      if goodput > base.goodput * (1 + max(0.03, growth / 4)) {
        self.base = (limit, goodput)
        patience = Self.shortest
        set(limit + limit / 2)
      } else {
        settle()
      }
    } else if limit < base.limit {
      // The loss is remembered, so that many small steps do not add up to a large one.
      if goodput >= base.goodput * 0.95 {
        self.base = (limit, max(goodput, base.goodput * 0.99))
        set(limit * 4 / 5)
      } else {
        settle()
      }
    } else {
      self.base = (limit, base.goodput + (goodput - base.goodput) * 0.3)
      rest -= 1
      guard rest <= 0 else { return }
      set(probesDown ? limit * 4 / 5 : limit + max(1, limit / 4))
      probesDown.toggle()
    }
  }

  private mutating func settle() {
    guard let base else { return }
    set(base.limit)
    rest = patience
    patience = min(2 * patience, Self.longest)
  }

  private mutating func set(_ level: Int) {
    limit = min(max(level, range.lowerBound), range.upperBound)
  }
}
