import Foundation
import SceneWorld
import Testing
import pairloom

@Suite struct RunReportTests {
  private func full() throws -> RunReport.Input {
    let world = DemoWorld(rows: 40, seed: 2)
    let hostile = "<script>alert(\"x\" & 'y')</script>\u{0}\u{1F}"
    var input = RunReport.Input()
    input.title = hostile
    input.summary = hostile
    input.headlines = [(hostile, hostile)]
    input.funnel = [("rows", 4000), (hostile, 1000), ("none", 0)]
    input.failures = [("http_status", 3), ("low_score", 20), (hostile, 1)]
    input.scores = ReportScores(
      values: [0.1, 0.2, 0.9, .nan], matched: [false, true, true, true], threshold: 0.5,
      note: hostile)
    input.curves = [ReportCurve(name: hostile, points: [(1, 3), (2, 2.5), (3, .nan), (4, 1)])]
    input.tables = [
      ReportTable(title: hostile, note: hostile, columns: [hostile, "b"], rows: [[hostile, "1"]])
    ]
    input.sheets = [
      ReportSheet(
        title: hostile, note: hostile,
        cards: [
          ReportSheet.Card(
            image: try world.picture(of: 0), caption: hostile, score: 0.25, note: hostile),
          ReportSheet.Card(image: Array(hostile.utf8), caption: hostile),
          ReportSheet.Card(image: nil, caption: hostile),
        ])
    ]
    let seen = ReportDuplicates.Card(
      image: try world.picture(of: 1), label: hostile, note: hostile, caption: hostile)
    let blank = ReportDuplicates.Card(image: nil, label: hostile, caption: hostile)
    let pairing = ReportDuplicates.Pairing(first: seen, second: blank, note: hostile)
    input.duplicates = ReportDuplicates(
      groups: [.init(title: hostile, dropped: 3, survivor: seen, members: [blank, blank])],
      below: [pairing], above: [pairing], rule: hostile)
    input.footer = hostile
    return input
  }

  @Test("What others wrote is text on the page, never markup")
  func escaping() throws {
    let html = RunReport(try full()).html()
    #expect(!html.contains("<script") && !html.contains("\u{0}") && !html.contains("\u{1F}"))
    #expect(html.contains("&lt;script&gt;alert(&quot;x&quot; &amp; &#39;y&#39;)&lt;/script&gt;"))
    #expect(Markup.escape("a\u{0}b\u{85}c\nd") == "a\u{FFFD}b\u{FFFD}c\nd")
    #expect(Markup.escape("naïve 猫 🐈") == "naïve 猫 🐈")
  }

  @Test("Every element is closed in order")
  func balance() throws {
    let html = RunReport(try full()).html()
    let void: Set = ["!DOCTYPE", "meta", "img", "wbr"]
    var open: [String] = []
    for piece in html.split(separator: "<").dropFirst() {
      let tag = piece.prefix { $0 != ">" }
      let name = String(tag.drop { $0 == "/" }.prefix { !" />\n".contains($0) })
      if void.contains(name) || tag.hasSuffix("/") { continue }
      if tag.hasPrefix("/") {
        #expect(open.popLast() == name)
      } else {
        open.append(name)
      }
    }
    #expect(open.isEmpty)
  }

  @Test("The page needs nothing from outside; only pictures become images")
  func selfContained() throws {
    let html = RunReport(try full()).html()
    for outside in ["http://", "https://", "url(", "@import", "<link", "<iframe"] {
      #expect(!html.contains(outside), "\(outside)")
    }
    let sources = html.components(separatedBy: "src=\"").dropFirst()
    #expect(sources.count == 4)
    #expect(sources.allSatisfy { $0.hasPrefix("data:image/") })
    #expect(html.components(separatedBy: "no picture").count == 1 + 2 + 4)
  }

  @Test("Bars are as long as their share, failures come most frequent first")
  func bars() throws {
    let html = RunReport(try full()).html()
    for width in ["width:100.00%", "width:25.00%", "width:0.00%"] {
      #expect(html.contains(width), "\(width)")
    }
    let most = try #require(html.range(of: "low_<wbr>score"))
    let less = try #require(html.range(of: "http_<wbr>status"))
    #expect(most.lowerBound < less.lowerBound)
    #expect(html.contains("4\u{202F}000<small>100.0 %"))
  }

  @Test("The histogram counts each finite score once and shows the threshold")
  func histogram() throws {
    let html = RunReport(try full()).html()
    #expect(html.contains("matched 2<") && html.contains("mismatched 1<"))
    #expect(html.components(separatedBy: "<rect class=\"first\"").count == 3)
    #expect(html.components(separatedBy: "<rect class=\"second\"").count == 2)
    #expect(html.contains("threshold 0.500"))
  }

  @Test("Degenerate input makes a page too", arguments: [[Float](), [0.5], [0.5, 0.5], [.nan]])
  func degenerate(scores: [Float]) {
    var input = RunReport.Input()
    input.scores = ReportScores(values: scores)
    input.funnel = [("rows", 0)]
    input.curves = [
      ReportCurve(name: "one", points: [(5, 1)]), ReportCurve(name: "none", points: []),
      ReportCurve(name: "flat", points: [(0, 2), (9, 2)]),
    ]
    let html = RunReport(input).html()
    #expect(html.hasPrefix("<!DOCTYPE html>") && !html.contains("nan") && !html.contains("inf"))
    #expect(html.contains("<rect") == scores.contains { $0.isFinite })
  }

  @Test("A curve comes out of metrics lines, a torn last line aside")
  func metrics() {
    let text = """
      {"step": 1, "loss": 4.5, "learning_rate": 0.001}
      {"event": "checkpoint"}
      {"step": 2, "loss": 4}
      {"step": 3, "lo
      """
    let curve = ReportCurve(name: "loss", metricsJSONL: text, key: "loss")
    #expect(curve.points.map(\.step) == [1, 2] && curve.points.map(\.value) == [4.5, 4])
  }

  @Test("The page is written whole under its name")
  func writing() throws {
    let path = FileManager.default.temporaryDirectory.path + "/report-\(UUID().uuidString).html"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let report = RunReport(try full())
    try report.write(to: path)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == report.html())
  }
}
