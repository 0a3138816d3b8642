/// What one check of `doctor` found.
package struct Finding: Sendable, Equatable, Codable {
  package enum Verdict: String, Sendable, Codable, CaseIterable, Comparable {
    case ok, warn, fail

    package static func < (a: Verdict, b: Verdict) -> Bool { a.rank < b.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  package var check: String
  package var verdict: Verdict
  /// What was seen, in words and figures.
  package var measured: String
  /// What to do about it, in one line; nil when nothing needs to be done.
  package var remedy: String?
  /// The figures alone, by name with their unit, for programs.
  package var values: [String: Double]

  package init(
    _ check: String, _ verdict: Verdict, _ measured: String, remedy: String? = nil,
    values: [String: Double] = [:]
  ) {
    precondition((verdict == .ok) == (remedy == nil), "\(check): a remedy belongs to a fault")
    self.check = check
    self.verdict = verdict
    self.measured = measured
    self.remedy = remedy
    self.values = values
  }

  /// The finding as a person reads it: a line, and a second one with the remedy.
  package var lines: [String] {
    let name = check + String(repeating: " ", count: max(0, 12 - check.count))
    let word = verdict.rawValue + String(repeating: " ", count: 5 - verdict.rawValue.count)
    return ["\(word) \(name) \(measured)"]
      + (remedy.map { [String(repeating: " ", count: 19) + "→ " + $0] } ?? [])
  }
}

/// All findings of a visit to the doctor.
package struct Diagnosis: Sendable, Equatable, Codable {
  package var findings: [Finding]
  /// The worst of them.
  package var verdict: Finding.Verdict

  package init(_ findings: [Finding]) {
    self.findings = findings
    verdict = findings.map(\.verdict).max() ?? .ok
  }
}

/// Figures in words.
enum Amount {
  static func bytes(_ count: Double) -> String {
    let units = ["B", "KB", "MB", "GB", "TB", "PB"]
    var value = count
    var unit = 0
    while value >= 1_000 && unit < units.count - 1 {
      value /= 1_000
      unit += 1
    }
    return unit == 0 || value >= 100
      ? "\(Int(value.rounded())) \(units[unit])" : "\((value * 10).rounded() / 10) \(units[unit])"
  }

  static func seconds(_ value: Double) -> String {
    switch value.magnitude {
    case ..<0.001: "\(Int((value * 1e6).rounded())) µs"
    case ..<1: "\(Int((value * 1e3).rounded())) ms"
    case ..<600: "\((value * 10).rounded() / 10) s"
    case ..<172_800: "\(Int((value / 60).rounded())) min"
    default: "\(Int((value / 86_400).rounded())) days"
    }
  }
}
