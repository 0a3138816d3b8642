import DurableFiles
import EmbeddingFiles
import PairDataset

/// A page of the pictures that were found.
struct SearchSheet {
  let question: String
  let hits: [SearchHit]
  /// Where pictures are looked for.
  let shards: [String]

  /// The most bytes of a picture that is shown: a page of hundreds must still open.
  private static let largest = 2 << 20

  func write(to path: String) throws {
    var cards = ""
    var missing = 0
    for (index, hit) in hits.enumerated() {
      let picture = try picture(of: hit)
      if picture == nil { missing += 1 }
      cards += """
        <figure>\(picture.map { "<img src=\"\($0)\" alt=\"\">" } ?? "<div class=\"none\">no picture</div>")
        <figcaption><b>\(index + 1) · \(Markup.decimal(Double(hit.score), 4))</b>
        \(Markup.escape(OneLine.text(hit.pair.caption, longest: 300)))
        <small>\(Markup.escape(OneLine.text(hit.pair.key, longest: 80)))</small></figcaption></figure>

        """
    }
    let note =
      missing == 0
      ? ""
      : "<p>\(missing) pictures are in none of the shards at hand; --shards names others.</p>\n"
    let body = """
      <style>
      .sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 14px; }
      .sheet figure { margin: 0; background: var(--card); border: 1px solid var(--line); padding: 8px; }
      .sheet img, .sheet .none { width: 100%; height: 190px; object-fit: contain; image-rendering: auto; }
      .sheet small { color: var(--soft); display: block; overflow-wrap: anywhere; }
      </style>
      <h1>\(Markup.escape(OneLine.text(question, longest: 200)))</h1>
      <p>The \(hits.count) nearest pairs by cosine.</p>
      \(note)<div class="sheet">
      \(cards)</div>

      """
    try DurableFile.write(ReportPage.document(title: "Search", body: body), to: path)
  }

  /// The picture inside a URL; nil where its shard is not at hand.
  private func picture(of hit: SearchHit) throws -> String? {
    for path in shards where path.split(separator: "/").last.map(String.init) == hit.pair.shard {
      guard DurableFile.exists(path) else { continue }
      guard let pair = try ShardReader(path: path).pair(key: hit.pair.key),
        pair.image.count <= Self.largest
      else { continue }
      return Markup.dataURL(pair.image)
    }
    return nil
  }
}
