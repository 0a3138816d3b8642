/// Finds the row of a key.
///
/// Memory: 16 bytes a key, and 8 to 16 for its place.
struct JoinIndex: Sendable {
  private var keys: [JoinKey] = []
  /// A row and one, or 0 where there is none; searched from a key's slot on.
  private var slots = [UInt32](repeating: 0, count: 16)

  var count: Int { keys.count }

  mutating func reserve(_ rows: Int) { keys.reserveCapacity(rows) }

  /// The key's new row; nil where it has one already.
  mutating func insert(_ key: JoinKey) -> Int? {
    precondition(keys.count < Int(UInt32.max), "more than 2^32 rows")
    // Half full at most: a search ends soon.
    if keys.count * 2 >= slots.count { grow() }
    let slot = find(key)
    guard slots[slot] == 0 else { return nil }
    keys.append(key)
    slots[slot] = UInt32(keys.count)
    return keys.count - 1
  }

  func row(of key: JoinKey) -> Int? {
    let entry = slots[find(key)]
    return entry == 0 ? nil : Int(entry) - 1
  }

  /// The slot that holds the key, or the free one where it belongs.
  private func find(_ key: JoinKey) -> Int {
    let mask = slots.count - 1
    var slot = key.slot(mask)
    while slots[slot] != 0 && keys[Int(slots[slot]) - 1] != key { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func grow() {
    let count = slots.count * 2
    // The old ones go first: both need not be in memory.
    slots = []
    slots = [UInt32](repeating: 0, count: count)
    for row in keys.indices { slots[find(keys[row])] = UInt32(row + 1) }
  }
}
