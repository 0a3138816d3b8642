/// Charts as HTML bars and inline SVG, coloured by the page's style sheet.
enum ReportCharts {
  /// A bar per entry, with its count and, where `whole` is given, its share of it.
  static func bars(
    _ entries: [(name: String, count: Int)], of whole: Int?, isAlarm: Bool = false
  ) -> String {
    let longest = max(1, entries.map(\.count).max() ?? 0, whole ?? 0)
    let rows = entries.map { entry in
      let width = Markup.decimal(100 * Double(entry.count) / Double(longest), 2)
      let share = whole.map {
        "<small>\(Markup.decimal(100 * Double(entry.count) / Double(max(1, $0)), 1)) %</small>"
      }
      return "<div class=\"bar\"><span>\(Markup.breakable(entry.name))</span>"
        + "<div><i style=\"width:\(width)%\"></i></div>"
        + "<b>\(Markup.grouped(entry.count))\(share ?? "")</b></div>"
    }
    return Markup.wrapped(rows.joined(), class: isAlarm ? "bars alarm" : "bars")
  }

  /// Counts of scores in 48 bins; matched and mismatched overlaid where the truth is known.
  static func histogram(_ scores: ReportScores) -> String {
    let finite = scores.values.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return "" }
    let bins = 48
    let start = Double(low)
    let width = max(Double(high) - start, 1e-6) / Double(bins)
    func counts(of wanted: Bool?) -> [Int] {
      var counts = [Int](repeating: 0, count: bins)
      for (index, score) in scores.values.enumerated() where score.isFinite {
        if let wanted, scores.matched?[index] != wanted { continue }
        counts[min(bins - 1, Int((Double(score) - start) / width))] += 1
      }
      return counts
    }
    let series: [(name: String, style: String, counts: [Int])] =
      scores.matched == nil
      ? [("pairs", "first", counts(of: nil))]
      : [
        ("matched", "first", counts(of: true)), ("mismatched", "second", counts(of: false)),
      ]
    let tallest = Double(max(1, series.flatMap(\.counts).max() ?? 1))
    let frame = ChartFrame(
      width: 860, height: 280, x: start...(start + width * Double(bins)), y: 0...tallest)
    var marks = ""
    for part in series {
      for (bin, count) in part.counts.enumerated() where count > 0 {
        let left = frame.place(x: start + Double(bin) * width)
        let right = frame.place(x: start + Double(bin + 1) * width)
        let top = frame.place(y: Double(count))
        marks +=
          "<rect class=\"\(part.style)\" x=\"\(frame.text(left))\" y=\"\(frame.text(top))\" "
          + "width=\"\(frame.text(right - left - 1))\" "
          + "height=\"\(frame.text(frame.bottom - top))\"/>"
      }
    }
    if let threshold = scores.threshold, threshold.isFinite {
      marks += frame.verticalMark(
        at: Double(threshold), label: "threshold \(Markup.decimal(Double(threshold), 3))")
    }
    let legend = series.map { part in
      "<span><i class=\"\(part.style)\"></i>\(part.name) "
        + "\(Markup.grouped(part.counts.reduce(0, +)))</span>"
    }
    return "<div class=\"legend\">\(legend.joined())</div>"
      + Markup.wrapped(
        frame.svg(marks, label: "Histogram: \(scores.axis)", x: scores.axis, y: "pairs"),
        class: "scroll wide"
      )
  }

  /// A curve over steps, thinned to 400 points.
  static func line(_ curve: ReportCurve) -> String {
    let points = curve.thinned(to: 400)
    guard let first = points.first, let last = points.last,
      let low = points.map(\.value).min(), let high = points.map(\.value).max()
    else { return "" }
    // A curve that begins near step 0 gets an axis that begins there.
    let start = first.step < last.step / 20 ? 0 : first.step
    let room = max((high - low) * 0.06, 1e-9)
    let bottom = low >= 0 ? max(0, low - room) : low - room
    let frame = ChartFrame(
      width: 440, height: 230, x: start...max(last.step, start + 1),
      y: bottom...(high + room))
    let path = points.map {
      "\(frame.text(frame.place(x: $0.step))),\(frame.text(frame.place(y: $0.value)))"
    }.joined(separator: " ")
    let marks = "<polyline class=\"curve\" points=\"\(path)\"/>"
    return "<div class=\"chart\"><h3>\(Markup.escape(curve.name))</h3>"
      + frame.svg(marks, label: "\(curve.name) over steps", x: "step", y: "") + "</div>"
  }
}
