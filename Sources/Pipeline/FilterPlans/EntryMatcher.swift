/// Finds the entries that stand in a caption as whole words.
///
/// MetaCLIP's substring matching (substr_matching.py): around each of `, . ; : ? ! \`` and around the whole
/// caption spaces are put, tabs and line ends become spaces, and an entry with a space at either end is looked
/// for. As both then are runs of words between single spaces, a tree of words finds exactly what their search
/// finds, in one step a word and level, whatever the number of entries.
struct EntryMatcher: Sendable {
  /// Numbers of words, by their bytes; all are pieces of the entries' own texts.
  private var words: [ArraySlice<UInt8>: UInt32] = [:]
  /// The node that a word leads to, by node and word.
  private var edges: [UInt64: UInt32] = [:]
  /// The entry that ends at a node; none is -1.
  private var ends: [Int32] = [-1]

  init(_ entries: [String]) {
    for (number, entry) in entries.enumerated() {
      var node: UInt32 = 0
      for word in Self.pieces(Array(entry.utf8)) {
        let id: UInt32
        if let known = words[word] {
          id = known
        } else {
          id = UInt32(words.count)
          // A copy of its own, so that the entry's text is not held for a word of it.
          words[ArraySlice(Array(word))] = id
        }
        let edge = UInt64(node) << 32 | UInt64(id)
        if let next = edges[edge] {
          node = next
        } else {
          node = UInt32(ends.count)
          edges[edge] = node
          ends.append(-1)
        }
      }
      ends[Int(node)] = Int32(number)
    }
  }

  private static func pieces(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    bytes.split(separator: 0x20, omittingEmptySubsequences: false)
  }

  /// The caption with spaces as the matching wants them, without those at its ends.
  private static func spaced(_ caption: String) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(caption.utf8.count + 8)
    for byte in caption.utf8 {
      switch byte {
      case 0x2C, 0x2E, 0x3B, 0x3A, 0x3F, 0x21, 0x60: bytes += [0x20, byte, 0x20]
      case 0x09, 0x0A, 0x0D: bytes.append(0x20)
      default: bytes.append(byte)
      }
    }
    return bytes
  }

  /// The entries in a caption, by number, each once and in rising order.
  func matches(in caption: String) -> [Int] {
    let ids = Self.pieces(Self.spaced(caption)).map { words[$0] }
    var found: [Int] = []
    for start in ids.indices {
      var node: UInt32 = 0
      for place in start..<ids.count {
        guard let id = ids[place], let next = edges[UInt64(node) << 32 | UInt64(id)] else { break }
        node = next
        if ends[Int(node)] >= 0 { found.append(Int(ends[Int(node)])) }
      }
    }
    guard found.count > 1 else { return found }
    found.sort()
    var last = -1
    return found.filter { number in
      defer { last = number }
      return number != last
    }
  }
}
