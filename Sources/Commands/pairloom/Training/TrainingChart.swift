import Foundation

/// A curve over steps: its mean as a line, its least and greatest values as a band.
enum TrainingChart {
  /// The drawing under its name; empty where there are no values.
  static func svg(_ curve: ThinnedCurve, name: String) -> String {
    let buckets = curve.buckets
    guard let first = buckets.first, let last = buckets.last else { return "" }
    let scale = self.scale(of: buckets)
    func scaled(_ value: Double) -> Double { value * pow(10, Double(scale)) }
    // One wild step must not flatten all others: the band may leave the drawing, the line may not.
    let low = scaled(buckets.map(\.mean).min() ?? 0)
    let high = scaled(buckets.map(\.mean).max() ?? 0)
    let room = max((high - low) * 0.15, abs(high) * 1e-3, 1e-9)
    let bottom = low >= 0 ? max(0, low - room) : low - room
    // A curve that begins near step 0 gets an axis that begins there.
    let start = first.step < last.step / 20 ? 0 : first.step
    let frame = ChartFrame(
      width: 440, height: 230, x: start...max(last.step, start + 1), y: bottom...(high + room))
    func point(_ step: Double, _ value: Double) -> String {
      let inside = min(max(scaled(value), frame.y.lowerBound), frame.y.upperBound)
      return "\(frame.text(frame.place(x: step))),\(frame.text(frame.place(y: inside)))"
    }
    let line = buckets.map { point($0.step, $0.mean) }.joined(separator: " ")
    var marks = ""
    if buckets.contains(where: { $0.count > 1 }) {
      let outline =
        buckets.map { point($0.step, $0.greatest) }
        + buckets.reversed().map { point($0.step, $0.least) }
      marks =
        "<polygon style=\"fill:var(--first);fill-opacity:.2\" points=\"\(outline.joined(separator: " "))\"/>"
    }
    marks += "<polyline class=\"curve\" points=\"\(line)\"/>"
    if buckets.count == 1 {
      let place = point(first.step, first.mean).split(separator: ",")
      marks += "<circle style=\"fill:var(--first)\" r=\"3\" cx=\"\(place[0])\" cy=\"\(place[1])\"/>"
    }
    let unit = scale == 0 ? "" : "×10⁻" + String(scale).map { Self.superscript[$0] ?? "" }.joined()
    return "<div class=\"chart\"><h3>\(Markup.breakable(name))</h3>"
      + frame.svg(marks, label: "\(name) over steps", x: "step", y: unit) + "</div>"
  }

  /// The power of ten that gives small numbers short ticks.
  private static func scale(of buckets: [ThinnedCurve.Bucket]) -> Int {
    let greatest = buckets.map { max(abs($0.mean), abs($0.greatest), abs($0.least)) }.max() ?? 0
    guard greatest > 0, greatest < 0.05 else { return 0 }
    return Int(-log10(greatest).rounded(.down))
  }

  private static let superscript: [Character: String] = [
    "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸",
    "9": "⁹",
  ]
}
