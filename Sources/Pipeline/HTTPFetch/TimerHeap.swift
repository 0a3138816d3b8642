/// Values that fall due at given times: a binary min-heap, O(log n) to add and to take.
package struct TimerHeap<Value> {
  private var entries: [(due: Double, value: Value)] = []

  package init() {}

  /// The earliest time, or nil when nothing waits.
  package var nextDue: Double? { entries.first?.due }

  package mutating func add(_ value: Value, due: Double) {
    entries.append((due, value))
    var child = entries.count - 1
    while child > 0, entries[child].due < entries[(child - 1) / 2].due {
      entries.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Takes all values out that match, in no order; O(n log n).
  package mutating func takeAll(where matches: (Value) -> Bool) -> [Value] {
    let all = entries
    var taken: [Value] = []
    entries = []
    for entry in all {
      if matches(entry.value) {
        taken.append(entry.value)
      } else {
        add(entry.value, due: entry.due)
      }
    }
    return taken
  }

  /// Takes the earliest value if its time has come.
  package mutating func take(dueBy now: Double) -> Value? {
    guard let first = entries.first, first.due <= now else { return nil }
    let last = entries.removeLast()
    guard !entries.isEmpty else { return first.value }
    entries[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < entries.count && entries[child].due < entries[least].due {
        least = child
      }
      guard least != parent else { return first.value }
      entries.swapAt(parent, least)
      parent = least
    }
  }
}
