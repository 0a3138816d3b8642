import DurableFiles

/// A run told in one self-contained HTML page.
///
/// Plain values in, a page without scripts or outside resources out; it follows the reader's light or
/// dark scheme. Sections without content are left out.
package struct RunReport {
  /// What the page tells, in its order.
  package struct Input: Sendable {
    package var title = "Pairloom run"
    /// One or two sentences under the title.
    package var summary = ""
    /// Large figures at the top, as in ("AUC", "0.991").
    package var headlines: [(label: String, value: String)] = []
    package var funnel: [(name: String, count: Int)] = []
    /// Dropped rows by reason; the page puts the most frequent first.
    package var failures: [(reason: String, count: Int)] = []
    package var scores = ReportScores()
    package var curves: [ReportCurve] = []
    package var tables: [ReportTable] = []
    package var duplicates = ReportDuplicates()
    package var sheets: [ReportSheet] = []
    /// The last line, as in the command that made the run.
    package var footer = ""

    package init() {}
  }

  package var input: Input

  package init(_ input: Input) { self.input = input }

  /// Publishes the page under `path`.
  package func write(to path: String) throws { try DurableFile.write(html(), to: path) }

  /// The page.
  package func html() -> String {
    let sections = [
      section("From rows to pairs", ReportCharts.bars(input.funnel, of: input.funnel.first?.count)),
      section(
        "Dropped, by reason",
        ReportCharts.bars(
          input.failures.map { ($0.reason, $0.count) }.sorted { $0.1 > $1.1 }, of: nil,
          isAlarm: true)),
      section(
        input.scores.title, ReportCharts.histogram(input.scores), note: input.scores.note),
      section(
        "Training",
        Markup.wrapped(input.curves.map { ReportCharts.line($0) }.joined(), class: "charts")),
    ]
    return ReportPage.document(
      title: input.title,
      body: header() + sections.joined() + input.tables.map { table($0) }.joined()
        + input.duplicates.sections { section($0, $1, note: $2) }
        + input.sheets.map { sheet($0) }.joined() + footer())
  }

  private func header() -> String {
    let tiles = input.headlines.map {
      "<div class=\"tile\"><b>\(Markup.escape($0.value))</b>"
        + "<span>\(Markup.escape($0.label))</span></div>"
    }
    return "<header><h1>\(Markup.escape(input.title))</h1>"
      + (input.summary.isEmpty ? "" : "<p>\(Markup.escape(input.summary))</p>")
      + Markup.wrapped(tiles.joined(), class: "tiles") + "</header>\n"
  }

  private func footer() -> String {
    input.footer.isEmpty ? "" : "<footer>\(Markup.escape(input.footer))</footer>\n"
  }

  private func section(_ title: String, _ content: String, note: String = "") -> String {
    guard !content.isEmpty else { return "" }
    return "<section><h2>\(Markup.escape(title))</h2>"
      + (note.isEmpty ? "" : "<p class=\"note\">\(Markup.escape(note))</p>")
      + content + "</section>\n"
  }

  private func table(_ table: ReportTable) -> String {
    guard !table.rows.isEmpty else { return "" }
    let head = table.columns.map { "<th>\(Markup.escape($0))</th>" }.joined()
    let rows = table.rows.map { row in
      "<tr>" + row.map { "<td>\(Markup.escape($0))</td>" }.joined() + "</tr>"
    }
    let body = "<table><thead><tr>\(head)</tr></thead><tbody>\(rows.joined())</tbody></table>"
    return section(table.title, Markup.wrapped(body, class: "scroll"), note: table.note)
  }

  private func sheet(_ sheet: ReportSheet) -> String {
    let cards = sheet.cards.map { card in
      let score = card.score.map { "<b>\(Markup.decimal(Double($0), 3))</b>" } ?? ""
      let picture =
        card.image.flatMap(Markup.dataURL).map { "<img alt=\"\" src=\"\($0)\">" }
        ?? "<div class=\"none\">no picture</div>"
      return "<figure>\(picture)<figcaption>\(score)\(Markup.escape(card.caption))"
        + (card.note.isEmpty ? "" : "<i>\(Markup.escape(card.note))</i>")
        + "</figcaption></figure>"
    }
    return section(
      sheet.title, Markup.wrapped(cards.joined(), class: sheet.isSmooth ? "sheet smooth" : "sheet"),
      note: sheet.note)
  }
}

/// Scores of pairs, with the truth about them where it is known.
package struct ReportScores: Sendable {
  package var values: [Float]
  /// Whether the pair at the same place is matched; nil when nobody knows.
  package var matched: [Bool]?
  /// Pairs from here upwards were kept.
  package var threshold: Float?
  package var note: String
  /// Of the section, and what stands at the axis.
  package var (title, axis) = ("Scores", "score")

  package init(
    values: [Float] = [], matched: [Bool]? = nil, threshold: Float? = nil, note: String = ""
  ) {
    precondition(
      matched == nil || matched?.count == values.count,
      "\(values.count) scores, \(matched?.count ?? 0) truths")
    self.values = values
    self.matched = matched
    self.threshold = threshold
    self.note = note
  }
}

/// Rows of text under named columns; the first column is left-aligned, the others are figures.
package struct ReportTable: Sendable {
  package var title: String
  package var note: String
  package var columns: [String]
  package var rows: [[String]]

  package init(title: String, note: String = "", columns: [String], rows: [[String]]) {
    self.title = title
    self.note = note
    self.columns = columns
    self.rows = rows
  }
}

/// Pictures side by side with their captions.
package struct ReportSheet: Sendable {
  package struct Card: Sendable {
    /// An encoded JPEG, PNG, WebP or GIF; nil shows a blank.
    package var image: [UInt8]?
    package var caption: String
    package var score: Float?
    /// A line in small print, as in why it was dropped.
    package var note: String

    package init(image: [UInt8]?, caption: String, score: Float? = nil, note: String = "") {
      self.image = image
      self.caption = caption
      self.score = score
      self.note = note
    }
  }

  package var title: String
  package var note: String
  package var cards: [Card]
  /// Whether the pictures are photographs and the like, not of a few pixels.
  package var isSmooth = false

  package init(title: String, note: String = "", cards: [Card]) {
    self.title = title
    self.note = note
    self.cards = cards
  }
}
