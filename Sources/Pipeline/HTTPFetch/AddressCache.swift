/// Answers of the resolver, each kept for a time that its kind sets.
///
/// Holds at most `capacity` names: two generations, of which the older goes when the younger has
/// half of them.
package struct AddressCache {
  /// Seconds that an answer is kept.
  package static func lifetime(of answer: HostAnswer) -> Double {
    switch answer {
    case .addresses: 300
    case .noSuchHost: 60
    case .failed: 5
    }
  }

  private typealias Entry = (answer: HostAnswer, until: Double)

  private let capacity: Int
  private var young: [String: Entry] = [:]
  private var old: [String: Entry] = [:]

  package init(capacity: Int = 100_000) { self.capacity = capacity }

  package var count: Int { young.count + old.count }

  /// The answer for a name that is still good, and until when.
  package func answer(for name: String, now: Double) -> (answer: HostAnswer, until: Double)? {
    guard let entry = young[name] ?? old[name], entry.until > now else { return nil }
    return entry
  }

  package mutating func keep(_ answer: HostAnswer, for name: String, now: Double) {
    if young.count >= capacity / 2 { (old, young) = (young, [:]) }
    young[name] = (answer, now + Self.lifetime(of: answer))
  }
}
