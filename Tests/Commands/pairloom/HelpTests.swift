import Testing

/// What `--help` says of every command.
@Suite struct HelpTests {
  /// The commands that a help names.
  static func commands(_ help: [String]) -> [String] {
    let lines = help.drop { $0 != "SUBCOMMANDS:" }.dropFirst()
    return lines.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.contains("'") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
  }

  @Test("options are of whole words, and no default is told twice")
  func options() throws {
    // Those that a default command hides, too.
    var open = [[], ["dedup", "index"], ["dedup", "semantic"], ["embed", "cluster"]]
    var seen = 0
    while let command = open.popLast() {
      let help = try Program.run(command + ["--help"])
      #expect(help.status == 0, "\(command)")
      open += Self.commands(help.lines).map { command + [$0] }
      seen += 1
      let words = help.output.split { $0 == " " || $0 == "\n" }
      let text = words.joined(separator: " ")
      #expect(!text.contains(/\(default: [^)]*\) \(default/), "\(command)")
      for word in words where word.hasPrefix("--") {
        // A name such as placeholderURLs falls apart into --placeholder-ur-ls.
        #expect(!word.contains(/-[a-z]{1,2}-[a-z]{1,2}$/), "\(command): \(word)")
      }
    }
    // The commands of today, and those of tomorrow.
    #expect(seen > 30)
  }
}
