import Glibc
import SeededRandom

/// Captions of words that are as frequent as in Zipf's law, any of them by its row.
///
/// A fifth are equal to one before, and a tenth differ from one in a word.
struct MadeCaptions {
  private static let words = 50_000
  /// The words' shares of a text, summed up.
  private let shares: [Double]

  init() {
    var sum = 0.0
    shares = (1...Self.words).map {
      sum += 1 / Double($0)
      return sum
    }
  }

  func caption(_ row: Int) -> String {
    var random = RandomStream(seed: 61, path: UInt64(row))
    let kind = random.uniform()
    guard kind < 0.3, row > 0 else { return words(of: row).joined(separator: " ") }
    var words = words(of: random.integer(below: row))
    if kind < 0.1 { words[random.integer(below: words.count)] = word(&random) }
    return words.joined(separator: " ")
  }

  /// What the row would be if it were like none before; 4 to 20 words.
  private func words(of row: Int) -> [String] {
    var random = RandomStream(seed: 62, path: UInt64(row))
    return (0..<random.integer(below: 17) + 4).map { _ in word(&random) }
  }

  private func word(_ random: inout RandomStream) -> String {
    let share = random.uniform() * (shares.last ?? 0)
    var (low, high) = (0, shares.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if shares[middle] < share { low = middle + 1 } else { high = middle }
    }
    // Frequent words are short.
    return String(low, radix: 36)
  }
}
