import ArgumentParser

/// A number of bytes as people write it: `500000`, `300MB`, `1GiB`.
struct ByteCount: ExpressibleByArgument {
  var bytes: Int

  private static let units: [(String, Int)] = [
    ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40), ("kb", 1_000),
    ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000), ("b", 1),
  ]

  /// Nil for what is no positive number with a unit of these, or none.
  init?(argument: String) {
    let text = argument.lowercased()
    let unit = Self.units.first { text.hasSuffix($0.0) }
    guard let number = Double(text.dropLast(unit?.0.count ?? 0)), number > 0 else { return nil }
    let bytes = number * Double(unit?.1 ?? 1)
    guard bytes >= 1, bytes < 0x1p52 else { return nil }
    self.bytes = Int(bytes)
  }

  /// A size for a person: three digits and a unit.
  static func words(_ bytes: Int) -> String {
    guard bytes >= 1_000 else { return "\(bytes) B" }
    var value = Double(bytes)
    var unit = ""
    for next in ["kB", "MB", "GB", "TB"] where value >= 1_000 {
      value /= 1_000
      unit = next
    }
    let digits = value < 10 ? 100.0 : value < 100 ? 10 : 1
    let rounded = (value * digits).rounded() / digits
    return (rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)") + " " + unit
  }
}
