import ContentHashing
import DurableFiles

/// Why a file holds no list of uids.
public struct UIDListError: Error, Sendable, Equatable, CustomStringConvertible {
  public var path: String
  public var problem: String

  public var description: String {
    "\(path): \(problem). Give one uid a line, or DataComp's .npy of dtype '<u8,<u8'."
  }
}

/// A set of uids that remembers which were asked for.
///
/// 16 bytes for a uid of 32 hexadecimal digits, sorted, and a search of log₂ n steps; other uids, as
/// foreign shards may have them, are kept as text.
public struct UIDList {
  /// A uid of 32 hexadecimal digits.
  struct Number: Comparable {
    var high: UInt64
    var low: UInt64

    static func < (a: Number, b: Number) -> Bool { (a.high, a.low) < (b.high, b.low) }

    init(high: UInt64, low: UInt64) {
      self.high = high
      self.low = low
    }

    /// Nil for what is not 32 lower-case hexadecimal digits.
    init?(_ text: some StringProtocol) {
      guard text.utf8.count == 32,
        text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
        let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
      else { return nil }
      self.init(high: high, low: low)
    }

    var text: String {
      func digits(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
      }
      return digits(high) + digits(low)
    }
  }

  private var numbers: [Number]
  private var wereFound: [Bool]
  private var others: [String: Bool]

  /// Reads a text file with a uid a line, or a NumPy file, as its first bytes say.
  ///
  /// - Throws: ``UIDListError``; `FileError`.
  public init(path: String) throws {
    let start = try DurableFile.read(path, count: 8, at: 0)
    var found: [Number] = []
    others = [:]
    if NumpyUIDs.begins(start) {
      found = try NumpyUIDs.read(path)
    } else {
      for line in try DurableFile.read(path).split(separator: 0x0A) {
        let text = String(decoding: line, as: UTF8.self).filter { $0 != "\r" && $0 != " " }
        if text.isEmpty { continue }
        if let number = Number(text) { found.append(number) } else { others[text] = false }
      }
    }
    // DataComp's are sorted, and each is there once; a list by hand need not be.
    if zip(found, found.dropFirst()).contains(where: { $0 >= $1 }) {
      found.sort()
      var last: Number?
      found.removeAll { number in
        defer { last = number }
        return number == last
      }
    }
    numbers = found
    wereFound = [Bool](repeating: false, count: found.count)
    if numbers.isEmpty && others.isEmpty { throw UIDListError(path: path, problem: "it is empty") }
  }

  public var count: Int { numbers.count + others.count }

  /// Whether a uid is in the list, which is remembered.
  public mutating func take(_ uid: String) -> Bool {
    guard let number = Number(uid) else {
      guard others[uid] != nil else { return false }
      others[uid] = true
      return true
    }
    var (low, high) = (0, numbers.count)
    while low < high {
      let middle = (low + high) / 2
      if numbers[middle] < number { low = middle + 1 } else { high = middle }
    }
    guard low < numbers.count, numbers[low] == number else { return false }
    wereFound[low] = true
    return true
  }

  /// How many uids were never asked for.
  public var missingCount: Int {
    wereFound.count { !$0 } + others.values.count { !$0 }
  }

  /// The first `count` uids that were never asked for, sorted; no more than these are held.
  public func firstMissing(_ count: Int) -> [String] {
    var first: [String] = []
    // Sorted as numbers they are sorted as texts.
    for (number, wasFound) in zip(numbers, wereFound) where !wasFound {
      if first.count == count { break }
      first.append(number.text)
    }
    for (uid, wasFound) in others where !wasFound {
      guard first.count < count || first.last.map({ uid < $0 }) == true else { continue }
      first.insert(uid, at: first.firstIndex { uid < $0 } ?? first.count)
      if first.count > count { first.removeLast() }
    }
    return first
  }

  /// The SHA-256 over the uids in their order here, a line each: the same for the same set.
  var sha256: String {
    var hash = ContentHash()
    for start in stride(from: 0, to: numbers.count, by: 4_096) {
      let piece = numbers[start..<min(start + 4_096, numbers.count)]
      hash.update(piece.flatMap { Array(($0.text + "\n").utf8) })
    }
    for uid in others.keys.sorted() { hash.update(Array((uid + "\n").utf8)) }
    return hash.hexDigest()
  }
}
