import Foundation

/// Axes, ticks and the way from values to places in an SVG.
struct ChartFrame {
  var width: Double
  var height: Double
  /// The values at the left and right end.
  var x: ClosedRange<Double>
  /// The values at the lower and upper end.
  var y: ClosedRange<Double>

  private let left = 52.0
  private let right = 24.0
  private let top = 18.0
  var bottom: Double { height - 40 }

  init(width: Double, height: Double, x: ClosedRange<Double>, y: ClosedRange<Double>) {
    self.width = width
    self.height = height
    self.x = x
    self.y = y
  }

  func place(x value: Double) -> Double {
    left + (value - x.lowerBound) / (x.upperBound - x.lowerBound) * (width - left - right)
  }

  func place(y value: Double) -> Double {
    bottom - (value - y.lowerBound) / (y.upperBound - y.lowerBound) * (bottom - top)
  }

  func text(_ value: Double) -> String { Markup.decimal(value, 1) }

  /// A dashed line over the whole height; the label stands on the side with more room.
  func verticalMark(at value: Double, label: String) -> String {
    guard x.contains(value) else { return "" }
    let at = place(x: value)
    let leftOf = at > width / 2
    return "<line class=\"mark\" x1=\"\(text(at))\" x2=\"\(text(at))\" y1=\"\(text(top - 6))\" "
      + "y2=\"\(text(bottom))\"/><text class=\"mark\" x=\"\(text(at + (leftOf ? -6 : 6)))\" "
      + "y=\"\(text(top + 4))\" text-anchor=\"\(leftOf ? "end" : "start")\">"
      + "\(Markup.escape(label))</text>"
  }

  /// The whole drawing: grid and ticks under `marks`, names at the axes.
  func svg(_ marks: String, label: String, x xName: String, y yName: String) -> String {
    var grid = ""
    for tick in Self.ticks(y, about: 5) {
      let at = text(place(y: tick.value))
      grid +=
        "<line class=\"grid\" x1=\"\(text(left))\" x2=\"\(text(width - right))\" "
        + "y1=\"\(at)\" y2=\"\(at)\"/><text x=\"\(text(left - 8))\" y=\"\(at)\" dy=\".35em\" "
        + "text-anchor=\"end\">\(tick.label)</text>"
    }
    for tick in Self.ticks(x, about: width > 600 ? 10 : 6) {
      grid +=
        "<text x=\"\(text(place(x: tick.value)))\" y=\"\(text(bottom + 17))\" "
        + "text-anchor=\"middle\">\(tick.label)</text>"
    }
    let names =
      "<text x=\"\(text(width - right))\" y=\"\(text(height - 6))\" text-anchor=\"end\">"
      + "\(Markup.escape(xName))</text><text x=\"4\" y=\"11\">\(Markup.escape(yName))</text>"
    let axis =
      "<line class=\"axis\" x1=\"\(text(left))\" x2=\"\(text(width - right))\" "
      + "y1=\"\(text(bottom))\" y2=\"\(text(bottom))\"/>"
    return "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" "
      + "aria-label=\"\(Markup.escape(label))\">\(grid)\(marks)\(axis)\(names)</svg>"
  }

  /// Multiples of 1, 2 or 5 times a power of ten inside the range.
  static func ticks(
    _ range: ClosedRange<Double>, about count: Int
  ) -> [(value: Double, label: String)] {
    let rough = (range.upperBound - range.lowerBound) / Double(count)
    guard rough > 0, rough.isFinite else { return [] }
    let power = pow(10, floor(log10(rough)))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
    let digits = max(0, Int(-floor(log10(step) + 1e-9)))
    let first = Int((range.lowerBound / step - 1e-9).rounded(.up))
    let last = Int((range.upperBound / step + 1e-9).rounded(.down))
    guard first <= last else { return [] }
    return (first...last).map { index in
      let value = Double(index) * step
      let isWhole = digits == 0
      return (value, isWhole ? Markup.grouped(Int(value)) : Markup.decimal(value, digits))
    }
  }
}
