import ArgumentParser
import PairRecords
import PipelineCore
import URLPipeline

/// `pairloom explain DIR WHAT`: what became of a pair, stage by stage.
struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Tell the whole story of a pair: why it was kept or dropped, stage by stage.",
    discussion: """
      WHAT is a row of the list (a number, from 0), a URL as it stands in the list or one that is equal \
      to it (case of the host, default port, percent-encoding), a uid (32 hexadecimal digits), or a key \
      as `pairloom ls` shows it. In a run with img2dataset's keys a number of as many digits as those \
      have is a key; --as settles what is meant.

      The last word comes first, then what the list says, each stage that saw the pair, and the \
      attempts at its chunk's jobs. Retries are told one after the other, the newest last. The run may \
      be under way. Ends with 1 where nothing is found, and says what is near.

        pairloom explain DIR 17
        pairloom explain DIR https://example.org/a.jpg
        pairloom explain DIR 000010042 --as key --json
      """)

  @Argument(help: "The run's folder.")
  var folder: String

  @Argument(help: "A row, URL, uid or key.")
  var what: String

  @Option(name: .customLong("as"), help: "What WHAT is: row, url, uid or key.")
  var kind: String?

  @Option(
    help: """
      A folder of `pairloom train`: tells at which of its steps the pair was seen, and which checkpoints know \
      it by then; repeatable. Runs that trained on DIR/dataset.json are asked without it.
      """)
  var train: [String] = []

  @Flag(help: "One JSON object: `count`, and `rows` with a story each.")
  var json = false

  /// Rows of one URL that are told in full.
  private static let most = 20

  func run() async throws {
    let records = try await RunRecords(folder)
    let search = PairSearch(records)
    let answer = try await search.rows(try question(search))
    let teller = try StoryTeller(records)
    var stories: [PairStory] = []
    var seen: [Int: [SeenPair]] = [:]
    var count = 1
    switch answer {
    case .nothing(let help):
      throw CommandFailure(
        description: OneLine.text("\(what): \(help).", longest: .max), code: 1)
    case .rejected(let row, let file, let line, let reason):
      stories = [
        await teller.story(ofRejected: row, file: file, line: line, reason: reason)
      ]
    case .rows(let rows):
      count = rows.count
      for row in rows.prefix(Self.most) {
        stories.append(try await teller.story(ofRow: row))
        guard let place = try await teller.datasetPlace(ofRow: row) else { continue }
        seen[row] = try SeenPair.ask(
          place, dataset: records.folder.dataset, folders: train)
      }
    }
    try StandardOutput.stream { output in
      if json {
        let object = JSONValue.object([
          .init("count", .int(count)),
          .init("rows", .array(stories.map { Self.json($0, seen[$0.row] ?? []) })),
        ])
        return try output.line(OneLine.json(object.serialized))
      }
      if count > 1 { try output.line("\(count) rows of the list") }
      for (index, story) in stories.enumerated() {
        if count > 1 { try output.line((index > 0 ? "\n" : "") + "── row \(story.row)") }
        var lines = story.lines
        if let runs = seen[story.row], !runs.isEmpty {
          lines += ["training runs"] + runs.flatMap(\.lines)
        }
        for line in lines { try output.line(OneLine.text(line, longest: .max)) }
      }
      if count > stories.count {
        try output.line("\nand \(count - stories.count) rows more; ask for one by its number")
      }
    }
  }

  /// The story with what training runs know of the pair, under `training`.
  private static func json(_ story: PairStory, _ seen: [SeenPair]) -> JSONValue {
    guard case .object(let members) = story.json, !seen.isEmpty else { return story.json }
    return .object(members + [.init("training", .array(seen.map(\.json)))])
  }

  private func question(_ search: PairSearch) throws -> PairQuestion {
    guard let kind else { return search.question(what) }
    guard let known = PairQuestion.Kind(rawValue: kind) else {
      throw CommandError("--as \(kind): give row, url, uid or key.")
    }
    guard let question = PairQuestion(what, as: known) else {
      throw CommandError("\(what) is no row: give a number from 0.")
    }
    return question
  }
}
