import Foundation

/// A quantity over training steps.
package struct ReportCurve: Sendable {
  package var name: String
  package var points: [(step: Int, value: Double)]

  package init(name: String, points: [(step: Int, value: Double)]) {
    self.name = name
    self.points = points
  }

  /// The numbers under `key` in the lines of a metrics file that also have `step`.
  ///
  /// Lines without both, and a last line that a killed run left unfinished, give no point.
  package init(name: String, metricsJSONL text: String, key: String) {
    let lines = text.split(separator: "\n").compactMap { line in
      // A torn last line is no error: the run that wrote it goes on in the next.
      try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    }
    self.init(
      name: name,
      points: lines.compactMap { line in
        guard let step = line["step"] as? Int, let value = line[key] as? Double else { return nil }
        return (step, value)
      })
  }

  /// At most `limit` points, each the mean of as many neighbours.
  func thinned(to limit: Int) -> [(step: Double, value: Double)] {
    let finite = points.filter { $0.value.isFinite }.sorted { $0.step < $1.step }
    let group = max(1, (finite.count + limit - 1) / limit)
    return stride(from: 0, to: finite.count, by: group).map { start in
      let part = finite[start..<min(start + group, finite.count)]
      let count = Double(part.count)
      return (
        part.reduce(0) { $0 + Double($1.step) } / count, part.reduce(0) { $0 + $1.value } / count
      )
    }
  }
}
