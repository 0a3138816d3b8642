/// The page around a report's sections.
enum ReportPage {
  static func document(title: String, body: String) -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(Markup.escape(title))</title>
    <style>
    \(style)
    </style>
    </head>
    <body>
    <main>
    \(body)</main>
    </body>
    </html>

    """
  }

  private static let style = """
    :root {
      --ground: #f6f5f2; --card: #fff; --ink: #1d2126; --soft: #666d75; --line: #e3e1db;
      --first: #2a7f9e; --second: #d9752b; --alarm: #b4533c;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #15181c; --card: #1e2227; --ink: #e8e6e1; --soft: #9aa1a9; --line: #31363d;
        --first: #55b3d4; --second: #ef9550; --alarm: #dd7f66;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0; background: var(--ground); color: var(--ink);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
    }
    main { max-width: 1000px; margin: 0 auto; padding: 40px 24px 64px; }
    h1 { font-size: 30px; line-height: 1.2; letter-spacing: -.015em; margin: 0 0 8px; }
    h2 { font-size: 18px; margin: 0 0 12px; letter-spacing: -.005em; }
    h3 { font-size: 13px; font-weight: 600; color: var(--soft); margin: 0 0 4px; }
    header p { color: var(--soft); margin: 0 0 20px; max-width: 46em; }
    .note { color: var(--soft); margin: -6px 0 14px; max-width: 52em; }
    section {
      background: var(--card); border: 1px solid var(--line); border-radius: 10px;
      padding: 20px 22px; margin: 16px 0;
    }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; }
    .tile {
      background: var(--card); border: 1px solid var(--line); border-radius: 10px;
      padding: 12px 16px;
    }
    .tile b {
      display: block; font-size: 25px; line-height: 1.25; font-weight: 600;
      font-variant-numeric: tabular-nums;
    }
    .tile span { color: var(--soft); font-size: 13px; }
    .bar {
      display: grid; grid-template-columns: minmax(90px, 160px) 1fr 128px; gap: 14px;
      align-items: center; padding: 3px 0;
    }
    .bar > span { line-height: 1.25; }
    .bar > div { background: var(--line); border-radius: 3px; height: 16px; overflow: hidden; }
    .bar i { display: block; height: 100%; background: var(--first); min-width: 1px; }
    .alarm .bar i { background: var(--alarm); }
    .bar b { font-weight: 600; font-variant-numeric: tabular-nums; text-align: right; }
    .bar small { display: inline-block; width: 58px; color: var(--soft); font-weight: 400; }
    .legend { display: flex; gap: 20px; color: var(--soft); font-size: 13px; margin-bottom: 6px; }
    .legend i {
      display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 7px;
    }
    .legend i.first { background: var(--first); }
    .legend i.second { background: var(--second); }
    svg { display: block; width: 100%; height: auto; }
    svg text { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
    svg .grid { stroke: var(--line); }
    svg .axis { stroke: var(--soft); }
    svg rect.first { fill: var(--first); fill-opacity: .75; }
    svg rect.second { fill: var(--second); fill-opacity: .75; }
    svg .curve { fill: none; stroke: var(--first); stroke-width: 1.8; stroke-linejoin: round; }
    svg line.mark { stroke: var(--ink); stroke-dasharray: 5 4; }
    svg text.mark { fill: var(--ink); }
    .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(380px, 1fr)); gap: 24px; }
    .scroll { overflow-x: auto; }
    .wide svg { min-width: 560px; }
    table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
    th, td { padding: 7px 12px; text-align: right; border-bottom: 1px solid var(--line); }
    th { font-weight: 600; color: var(--soft); font-size: 13px; }
    th:first-child, td:first-child { text-align: left; padding-left: 0; }
    th:last-child, td:last-child { padding-right: 0; }
    tbody tr:last-child td { border-bottom: 0; }
    .sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 16px 14px; }
    figure { margin: 0; min-width: 0; }
    figure img, .none {
      display: block; width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 6px;
      background: var(--ground); image-rendering: pixelated;
    }
    .none {
      display: flex; align-items: center; justify-content: center; color: var(--soft);
      font-size: 12px; border: 1px dashed var(--line);
    }
    figcaption { font-size: 12px; line-height: 1.35; margin-top: 6px; overflow-wrap: anywhere; }
    figcaption b { display: block; font-variant-numeric: tabular-nums; }
    figcaption i { display: block; color: var(--soft); }
    .smooth img { image-rendering: auto; }
    .group img, .pairing img {
      image-rendering: auto; outline: 1px solid var(--line); outline-offset: -1px;
    }
    figure.kept img, figure.kept .none, .group figure.kept img {
      outline: 3px solid var(--first); outline-offset: 1px;
    }
    .groups { display: flex; flex-wrap: wrap; gap: 20px; }
    .group { border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px 14px; }
    .group .sheet { display: flex; flex-wrap: wrap; }
    .group figure { width: 112px; }
    .group h3 { color: var(--ink); margin: 0 0 10px; overflow-wrap: anywhere; }
    .group h3 small { color: var(--soft); font-weight: 400; }
    .pairings { display: grid; grid-template-columns: repeat(auto-fill, minmax(280px, 1fr)); gap: 20px; }
    .pairing > div { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; }
    .pairing p { color: var(--soft); font-size: 12px; margin: 4px 0 0; font-variant-numeric: tabular-nums; }
    footer { color: var(--soft); font-size: 13px; margin-top: 24px; }
    @media (max-width: 620px) {
      main { padding: 24px 14px 40px; }
      .bar { grid-template-columns: 84px 1fr 84px; gap: 8px; }
      .bar small { display: block; width: auto; }
      .charts { grid-template-columns: 1fr; }
    }
    """
}
